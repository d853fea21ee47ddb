import fc from 'fast-check';
import { isNetworkName, parseNetworkName } from './network-name';

const red = ['default-domain', 'k8s-blue', 'red'];

it.each([
  'default-domain:k8s-blue:red',
  ' default-domain : k8s-blue : red ',
  '{"domain": "default-domain", "project": "k8s-blue", "name": "red"}',
  '{"domain":"default-domain","project":"k8s-blue","name":"red","extra":"x"}',
  "{'domain': 'default-domain', 'project': 'k8s-blue', 'name': 'red'}",
  "{u'name': u'red', 'domain': \"default-domain\", 'project': 'k8s-blue',}",
  '{ "domain" :\n "default-domain", "project": "k8s\\-blue", "name": "red" }',
])('accepts %s', (text) => {
  expect(parseNetworkName(text)).toEqual(red);
});

it.each([
  ['red', 'is "red", but a fully qualified name has 3 parts; write "default-domain:<project>:<network>"'],
  ['', 'has 3 parts'],
  ['a:b:c:d', 'has 3 parts'],
  ['a::c', 'a part of the name is empty'],
  ['{}', 'the dictionary has no domain and no project and no name'],
  ['{"domain": "d", "project": "p"}', 'the dictionary has no name'],
  ['{"domain": "d", "project": "p", "name": ""}', 'the dictionary has no name'],
  ['{"domain": "d", "project": "p", "name": 1}', 'is no dictionary of strings'],
  ['{"domain": "d" "project": "p"}', 'is no dictionary of strings'],
  ['{"domain": "d"', 'is no dictionary of strings'],
  ['{"domain": "d", "project": "p", "name": "n"} x', 'is no dictionary of strings'],
  ["{'domain': 'd', 'project': 'a:b', 'name': 'n'}", 'has a colon'],
  ['x'.repeat(2000), 'is longer than 1024 characters'],
])('says what is wrong with %s', (text, problem) => {
  const parsed = parseNetworkName(text);
  expect('problem' in parsed ? parsed.problem : '').toContain(problem);
});

it('answers any text, and takes its own answers', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.string().map((text) => `{'domain':'${text}'`)), (text) => {
      const parsed = parseNetworkName(text);
      if (isNetworkName(parsed)) expect(parseNetworkName(parsed.join(':'))).toEqual(parsed.map((part) => part.trim()));
    }),
  );
});
