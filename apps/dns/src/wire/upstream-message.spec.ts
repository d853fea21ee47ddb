import { decode, type Answer, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { questionBytes, readReply } from '../testing/ask';
import { queryOf, upstreamBytes, upstreamMessage } from '../testing/upstream';
import { writeForwarded } from './forwarded-response';
import { parseUpstream, writeUpstreamQuery } from './upstream-message';

const www = { name: 'www.example.com', type: 'A' };
const address = (data: string, ttl = 300): { type: 'A'; name: string; ttl: number; data: string } => ({
  type: 'A', name: 'www.example.com', ttl, data,
});
const soa = (ttl: number, minimum: number): Answer => ({
  type: 'SOA', name: 'example.com', ttl,
  data: { mname: 'ns.example.com', rname: 'root.example.com', serial: 1, refresh: 2, retry: 3, expire: 4, minimum },
});
const opt = { type: 'OPT' as const, name: '.' as const, udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
const nxdomain = 0x183;

describe('parseUpstream', () => {
  it.each<{ what: string; answer: Partial<Packet>; ttl: number | undefined }>([
    { what: 'smallest TTL of the answers', answer: { answers: [address('192.0.2.1', 60), address('192.0.2.2', 30)] }, ttl: 30 },
    { what: 'SOA TTL when negative', answer: { flags: nxdomain, authorities: [soa(20, 600)] }, ttl: 20 },
    { what: 'SOA minimum when negative', answer: { authorities: [soa(900, 60)] }, ttl: 60 },
    { what: 'nothing without SOA', answer: { flags: nxdomain }, ttl: undefined },
    { what: 'nothing for failures', answer: { flags: 0x182 }, ttl: undefined },
    { what: 'TTL with the upper bit counts as zero', answer: { answers: [address('192.0.2.1', 0x80000000)] }, ttl: 0 },
  ])('may be kept: $what', ({ answer, ttl }) => {
    expect(upstreamMessage(www, answer).ttl).toBe(ttl);
  });

  it('takes the OPT record off', () => {
    const message = upstreamMessage(www, { answers: [address('192.0.2.1')], additionals: [opt] });
    expect(message.records).toHaveLength(1);
  });

  it.each([
    { what: 'another id', edit: (m: Buffer) => m.writeUInt16BE(1, 0) },
    { what: 'a question instead of an answer', edit: (m: Buffer) => m.writeUInt16BE(0x100, 2) },
    { what: 'another name', edit: (m: Buffer) => m.write('x', 13) },
    { what: 'another type', edit: (m: Buffer) => m.writeUInt16BE(28, 12 + 17) },
    { what: 'more records than bytes', edit: (m: Buffer) => m.writeUInt16BE(9, 6) },
    { what: 'a record longer than the message', edit: (m: Buffer) => m.writeUInt16BE(500, m.length - 6) },
  ])('refuses $what', ({ edit }) => {
    const bytes = upstreamBytes(questionBytes(www), { answers: [address('192.0.2.1')] });
    edit(bytes);
    expect(parseUpstream(bytes, queryOf(www))).toBeUndefined();
  });

  it('never throws on damaged answers, and what it takes can be passed on', () => {
    const good = upstreamBytes(questionBytes(www), { answers: [address('192.0.2.1'), address('192.0.2.2')], authorities: [soa(1, 1)], additionals: [opt] });
    const query = queryOf({ ...www, packet: { additionals: [opt] } });
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), fc.integer({ min: 60, max: 600 }), (changes, cut, bytesMax) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        const message = parseUpstream(bytes.subarray(0, good.length - (cut % 40)), query);
        if (message === undefined) return;
        const reply = writeForwarded(query, message, 5, bytesMax);
        expect(reply.length).toBeLessThanOrEqual(bytesMax);
        expect(reply.readUInt16BE(0)).toBe(query.id);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('writeUpstreamQuery', () => {
  it('asks with recursion, and with EDNS only when the client did', () => {
    expect(decode(writeUpstreamQuery(queryOf(www), 77))).toMatchObject({ id: 77, flag_rd: true, additionals: [] });
    const edns = { ...opt, flags: 0x8000, udpPayloadSize: 9000 };
    const asked = decode(writeUpstreamQuery(queryOf({ ...www, packet: { additionals: [edns] } }), 78));
    expect(asked.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, flag_do: true }]);
  });
});

describe('writeForwarded', () => {
  const addresses = Array.from({ length: 60 }, (_, i) => address(`192.0.2.${i + 1}`));

  it('gives the client its own question, id and EDNS, and makes TTLs younger', () => {
    const message = upstreamMessage(www, { answers: [address('192.0.2.1', 300)], additionals: [opt] });
    const reply = readReply(writeForwarded(queryOf({ name: 'WWW.Example.com', type: 'A', packet: { id: 5 } }), message, 100, 512));
    expect(reply).toMatchObject({ id: 5, rcode: 'NOERROR', flag_ra: true, flag_aa: false, additionals: [] });
    expect(reply.questions?.[0]?.name).toBe('WWW.Example.com');
    expect(reply.answerLines).toEqual(['www.example.com 200 A 192.0.2.1']);
  });

  it('cuts at a record and says so', () => {
    const reply = readReply(writeForwarded(queryOf(www), upstreamMessage(www, { answers: addresses }), 0, 512));
    expect(reply.flag_tc).toBe(true);
    expect(reply.byteLength).toBeLessThanOrEqual(512);
    expect(reply.answerLines.length).toBeGreaterThan(10);
  });

  it('keeps compression pointers and records of unknown types', () => {
    const question = questionBytes({ name: 'www.example.com', type: 'HTTPS' });
    const record = Buffer.from('c00c004100010000012c00050001000001', 'hex');
    const header = Buffer.from(question);
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(1, 6);
    const query = queryOf({ name: 'www.example.com', type: 'HTTPS' });
    const message = parseUpstream(Buffer.concat([header, record]), query);
    if (message === undefined) throw new Error('not understood');
    const reply = writeForwarded(query, message, 0, 512);
    expect(reply.subarray(-record.length)).toEqual(record);
  });

  it('passes AD on to those who asked for authenticity', () => {
    const message = upstreamMessage(www, { flags: 0x1a0, answers: [address('192.0.2.1')] });
    expect(readReply(writeForwarded(queryOf(www), message, 0, 512)).flag_ad).toBe(false);
    const asking = queryOf({ ...www, packet: { flags: 0x120 } });
    expect(readReply(writeForwarded(asking, message, 0, 512)).flag_ad).toBe(true);
  });
});
