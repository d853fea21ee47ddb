import { markdownTable, replaceSection } from './table';

const document = [
  '# Speed',
  '',
  '<!-- bench:a begins -->',
  'old a',
  '<!-- bench:a ends -->',
  '',
  'between',
  '',
  '<!-- bench:b begins -->',
  'old b',
  '<!-- bench:b ends -->',
  '',
].join('\n');

test('a table has a head, a rule, and escaped cells', () => {
  expect(markdownTable(['a', 'b'], [['1', 'x|y']])).toBe('| a | b |\n|---|---|\n| 1 | x\\|y |');
});

test('a section is replaced, the rest stays', () => {
  expect(replaceSection(document, 'a', '\nnew a\n')).toBe(document.replace('old a', 'new a'));
});

test('replacing twice is replacing once', () => {
  const once = replaceSection(document, 'b', 'new b');
  expect(replaceSection(once, 'b', 'new b')).toBe(once);
});

test('a section without markers comes to the end', () => {
  expect(replaceSection('# Speed\n', 'c', 'new c')).toBe(
    '# Speed\n\n<!-- bench:c begins -->\nnew c\n<!-- bench:c ends -->\n',
  );
});

test.each([
  ['lost', document.replace('<!-- bench:a ends -->', '')],
  ['before its beginning', '<!-- bench:a ends -->\n<!-- bench:a begins -->\n'],
])('an end that is %s is an error', (_, broken) => {
  expect(() => replaceSection(broken, 'a', 'new a')).toThrow('section a: its markers are broken');
});
