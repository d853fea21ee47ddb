import fc from 'fast-check';
import { formatAddress, parseAddress, parsePrefix } from '@contrail/net';
import { formatName, joinName, labelsBelow, labelsOf, parentOf, parseName, rootName } from './domain-name';
import { NameIndex } from './name-index';
import { parseReverseName, reverseName, reverseZone } from './reverse-name';

const zone = parseName('cluster.local');

describe('names', () => {
  it.each(['web.blue.svc.cluster.local.', 'a.', '.'])('%s is read and written', (text) => {
    expect(formatName(parseName(text))).toBe(text);
  });

  it.each([
    { what: 'an empty label', text: 'a..b' },
    { what: 'a label of 64 bytes', text: `${'a'.repeat(64)}.b` },
    { what: '256 bytes', text: Array.from({ length: 128 }, () => 'a').join('.') },
  ])('refuses $what', ({ text }) => {
    expect(() => parseName(text)).toThrow(/DNS (label|name) has/);
  });

  it('finds the labels below a zone at borders of labels only', () => {
    expect(labelsBelow(parseName('web.blue.cluster.local'), zone)).toEqual(['web', 'blue']);
    expect(labelsBelow(zone, zone)).toEqual([]);
    expect(labelsBelow(parseName('local'), zone)).toBeUndefined();
    expect(labelsBelow(parseName('xcluster.local'), zone)).toBeUndefined();
    expect(labelsBelow(joinName(['a\x07cluster'], parseName('local')), zone)).toBeUndefined();
  });

  it('climbs to the root', () => {
    expect(parentOf(parseName('a.b'))).toBe(parseName('b'));
    expect(parentOf(rootName)).toBe(rootName);
  });

  it('keeps any labels', () => {
    const label = fc.stringMatching(/^[\x21-\x7e]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        expect(labelsOf(joinName(labels))).toEqual(labels.map((text) => text.toLowerCase()));
      }),
    );
  });

  it('escapes what would break a line', () => {
    expect(formatName(joinName(['a.b "', '\x00']))).toBe('a\\046b\\032\\034.\\000.');
  });
});

describe('reverse names', () => {
  it.each(['192.0.2.7', '2001:db8::12'])('%s is found again', (text) => {
    const address = parseAddress(text);
    const question = parseReverseName(reverseName(address));
    expect(question && formatAddress(question.address)).toBe(text);
    expect(question).toMatchObject({ length: address.length * 8, isImpossible: false });
  });

  it.each([
    { prefix: '10.96.0.0/12', address: '10.100.1.2', zone: '100.10.in-addr.arpa.' },
    { prefix: '10.96.0.0/16', address: '10.96.1.2', zone: '96.10.in-addr.arpa.' },
    { prefix: '192.0.2.0/25', address: '192.0.2.1', zone: '1.2.0.192.in-addr.arpa.' },
    { prefix: 'fd00::/10', address: 'fd00::1', zone: '0.d.f.ip6.arpa.' },
  ])('$address of $prefix lies in $zone', ({ prefix, address, zone: expected }) => {
    expect(formatName(reverseZone(parsePrefix(prefix), parseAddress(address)))).toBe(expected);
  });

  it.each(['256.0.0.10', '01.0.0.10', 'x.0.0.10', '1.2.3.4.5'])('%s.in-addr.arpa cannot exist', (labels) => {
    expect(parseReverseName(parseName(`${labels}.in-addr.arpa`))?.isImpossible).toBe(true);
  });
});

describe('NameIndex', () => {
  const below = (text: string): ReturnType<typeof parseName> => parseName(`${text}.cluster.local`);

  it('is empty again after any sequence of changes, and has every name between a name and the zone', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const change = fc.record({ owner: fc.constantFrom('x', 'y'), names: fc.array(fc.array(label, { minLength: 1, maxLength: 4 }), { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const index = new NameIndex(zone);
        for (const { owner, names } of changes) {
          index.set(owner, new Map(names.map((labels) => [below(labels.join('.')), []])));
          for (const labels of names) {
            for (let i = 0; i <= labels.length; i++) expect(index.find(joinName(labels.slice(i), zone))).toBeDefined();
          }
        }
        index.remove('x');
        index.remove('y');
        expect(index.size).toBe(0);
      }),
    );
  });

  it('adds the records of several owners and takes each away alone', () => {
    const index = new NameIndex(zone);
    const name = below('a');
    index.set('x', new Map([[name, [{ type: 'PTR', target: below('x') }]]]));
    index.set('y', new Map([[name, [{ type: 'PTR', target: below('y') }]]]));
    const node = index.find(name);
    expect(node?.records('PTR')).toHaveLength(2);
    const version = node?.version;
    index.remove('x');
    expect(node?.records('PTR')).toEqual([{ type: 'PTR', target: below('y') }]);
    expect(node?.version).not.toBe(version);
  });
});
