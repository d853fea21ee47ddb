import { decode, encode, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';
import { formatName } from '../zone/domain-name';
import { parseQuery, type Query } from './query';

const plain = encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: 'A', name: 'WWW.example.com' }] });

function parsed(message: Buffer): Query {
  const query = parseQuery(message);
  if (query === undefined || 'broken' in query) throw new Error(`not understood: ${query?.broken ?? 'silent'}`);
  return query;
}

/** A copy with one byte or word changed. */
function changed(change: (message: Buffer) => void): Buffer {
  const copy = Buffer.from(plain);
  change(copy);
  return copy;
}

describe('parseQuery', () => {
  it('reads what dns-packet writes', () => {
    const query = parsed(plain);
    expect(query).toMatchObject({ id: 7, opcode: 0, type: 1, class: 1, edns: undefined });
    expect(formatName(query.name)).toBe('www.example.com.');
    expect(Buffer.from(query.question).toString('latin1')).toContain('WWW');
  });

  it('reads EDNS', () => {
    const opt = { type: 'OPT' as const, name: '.' as const, udpPayloadSize: 1400, flags: 0x8000, extendedRcode: 0, ednsVersion: 0, flag_do: true, options: [] };
    const message = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'a' }], additionals: [opt] });
    expect(parsed(message).edns).toEqual({ payloadBytes: 1400, version: 0, wantsDnssec: true });
  });

  it.each([
    { what: 'nothing', message: Buffer.alloc(0) },
    { what: 'less than a header', message: plain.subarray(0, 11) },
    { what: 'an answer', message: changed((m) => m.writeUInt16BE(0x8100, 2)) },
  ])('says nothing to $what', ({ message }) => {
    expect(parseQuery(message)).toBeUndefined();
  });

  it.each([
    { what: 'no question', message: changed((m) => m.writeUInt16BE(0, 4)) },
    { what: 'two questions', message: changed((m) => m.writeUInt16BE(2, 4)) },
    { what: 'half a name', message: plain.subarray(0, 18) },
    { what: 'no type', message: plain.subarray(0, plain.length - 4) },
    { what: 'a compression pointer as name', message: changed((m) => m.writeUInt8(0xc0, 12)) },
    { what: 'a label of 64 bytes', message: changed((m) => m.writeUInt8(64, 12)) },
    { what: 'records that are not there', message: changed((m) => m.writeUInt16BE(3, 10)) },
    { what: 'a name without end', message: Buffer.concat([plain.subarray(0, 12), Buffer.alloc(600, 1)]) },
  ])('calls $what broken', ({ message }) => {
    expect(parseQuery(message)).toMatchObject({ broken: expect.stringMatching(/./) as string });
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const query = parseQuery(Buffer.from(bytes));
        if (query === undefined || 'broken' in query) return;
        expect(query.question.length).toBe(query.name.length + 4);
        expect(query.name.length).toBeLessThanOrEqual(255);
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws on a good question with damaged bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(plain.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const message = changed((m) => changes.forEach(([at, value]) => m.writeUInt8(value, at)));
        const query = parseQuery(message);
        if (query !== undefined && !('broken' in query)) expect(query.id).toBe(message.readUInt16BE(0));
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees with dns-packet on names and types', () => {
    const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
    const types = fc.constantFrom('A', 'AAAA', 'SRV', 'PTR', 'TXT', 'NS') as fc.Arbitrary<'A'>;
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), types, fc.nat(65_535), (labels, type, id) => {
        const message = encode({ type: 'query', id, questions: [{ type, name: labels.join('.') }] });
        const query = parsed(message);
        expect(formatName(query.name)).toBe(`${labels.join('.').toLowerCase()}.`);
        expect(query.id).toBe(decode(message).id);
      }),
    );
  });
});
