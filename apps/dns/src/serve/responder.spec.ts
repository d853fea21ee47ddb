import { AUTHORITATIVE_ANSWER, CHECKING_DISABLED, decode, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';
import fc from 'fast-check';
import { parseAddress } from '@contrail/net';
import { ask, questionBytes, readReply, responderOf } from '../testing/ask';
import { exampleZone } from '../testing/cluster';
import { parseName } from '../zone/domain-name';
import type { ServiceRecord, SliceRecord } from '../zone/kube-records';
import type { Client } from './responder';

const web = 'web.blue.svc.cluster.local';
const udp: Client = { address: parseAddress('10.32.0.99'), name: '10.32.0.99', transport: 'udp' };
const tcp: Client = { ...udp, transport: 'tcp' };
const opt = (udpPayloadSize: number, ednsVersion = 0, flags = 0): object => ({
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion, flags, options: [] }],
});

/** A headless service with so many endpoints. */
function bigZone(endpoints: number): ReturnType<typeof exampleZone> {
  const zone = exampleZone();
  const ports = [{ name: 'http', protocol: 'tcp', port: 8080 }];
  const service: ServiceRecord = {
    namespace: 'blue', name: 'big', kind: 'headless', clusterIps: [], externalName: '', ports, publishNotReadyAddresses: false,
  };
  const slice: SliceRecord = {
    namespace: 'blue',
    service: 'big',
    ports,
    endpoints: Array.from({ length: endpoints }, (_, i) => ({
      addresses: [Uint8Array.of(10, 33, i >> 8, i & 255)], hostname: '', isReady: true,
    })),
  };
  zone.setService(service, [slice]);
  return zone;
}

describe('header', () => {
  it('repeats id, opcode, RD and CD, and says that it is the authority', async () => {
    const flags = RECURSION_DESIRED | CHECKING_DISABLED;
    const reply = await ask(responderOf(exampleZone()), { name: web, type: 'A', packet: { id: 99, flags } });
    expect(reply.id).toBe(99);
    expect(reply.flags & ~15).toBe(0x8000 | AUTHORITATIVE_ANSWER | RECURSION_DESIRED | CHECKING_DISABLED);
  });

  it('offers recursion only when there is somebody to ask', async () => {
    const responder = responderOf(exampleZone(), { forwarder: { upstreams: [{ host: '192.0.2.1', port: 53 }] } });
    expect((await ask(responder, { name: web, type: 'A' })).flags & RECURSION_AVAILABLE).not.toBe(0);
  });

  it('repeats the question as it was spelled', async () => {
    const reply = await ask(responderOf(exampleZone()), { name: 'wEb.Blue.Svc.cluster.local', type: 'A' });
    expect(reply.questions?.[0]?.name).toBe('wEb.Blue.Svc.cluster.local');
  });
});

describe('refusals', () => {
  const responder = responderOf(exampleZone());
  const edited = (edit: (bytes: Buffer) => void): Buffer => {
    const bytes = questionBytes({ name: web, type: 'A' });
    edit(bytes);
    return bytes;
  };

  it.each([
    { what: 'opcode UPDATE', bytes: edited((b) => b.writeUInt16BE(5 << 11, 2)), rcode: 'NOTIMP' },
    { what: 'class CHAOS', bytes: edited((b) => b.writeUInt16BE(3, b.length - 2)), rcode: 'REFUSED' },
    { what: 'two questions', bytes: edited((b) => b.writeUInt16BE(2, 4)), rcode: 'FORMERR' },
  ])('$what: $rcode', async ({ bytes, rcode }) => {
    const reply = await responder.respond(bytes, udp);
    expect(reply && readReply(reply).rcode).toBe(rcode);
  });

  it('does not answer answers, nor what is too long', () => {
    expect(responder.respond(edited((b) => b.writeUInt16BE(0x8180, 2)), udp)).toBeUndefined();
    expect(responder.respond(Buffer.concat([questionBytes({ name: web, type: 'A' }), Buffer.alloc(5000)]), udp)).toBeUndefined();
  });

  it('answers SERVFAIL for names of the cluster until they are known, and still refuses others', async () => {
    const unsynced = responderOf(exampleZone(), { isSynced: () => false });
    for (const name of [web, 'nothing.blue.svc.cluster.local', '20.0.96.10.in-addr.arpa', '10-32-0-4.blue.pod.cluster.local']) {
      const reply = await ask(unsynced, { name, type: 'A' });
      expect([name, reply.rcode, reply.answerLines]).toEqual([name, 'SERVFAIL', []]);
    }
    expect((await ask(unsynced, { name: 'example.com', type: 'A' })).rcode).toBe('REFUSED');
  });
});

describe('sizes', () => {
  const name = 'big.blue.svc.cluster.local';

  it.each([
    { transport: 'udp' as const, packet: {}, bytesMax: 512, isCut: true },
    { transport: 'udp' as const, packet: opt(100), bytesMax: 512, isCut: true },
    { transport: 'udp' as const, packet: opt(800), bytesMax: 800, isCut: true },
    { transport: 'udp' as const, packet: opt(65_000), bytesMax: 1232, isCut: true },
    { transport: 'tcp' as const, packet: {}, bytesMax: 65_535, isCut: false },
  ])('$transport, at most $bytesMax bytes', async ({ transport, packet, bytesMax, isCut }) => {
    const reply = await ask(responderOf(bigZone(200)), { name, type: 'A', transport, packet });
    expect(reply.byteLength).toBeLessThanOrEqual(bytesMax);
    expect((reply.flags & TRUNCATED_RESPONSE) !== 0).toBe(isCut);
    const room = bytesMax - reply.byteLength;
    if (isCut) expect(room).toBeLessThan(16);
    else expect(reply.answerLines).toHaveLength(200);
  });

  it('leaves additional records out before it cuts answers', async () => {
    const reply = await ask(responderOf(bigZone(6)), { name: `_http._tcp.${name}`, type: 'SRV' });
    expect(reply.answerLines).toHaveLength(6);
    expect(reply.additionalLines.length).toBeLessThan(6);
    expect(reply.flags & TRUNCATED_RESPONSE).toBe(0);
  });

  it('answers EDNS with EDNS, with DO as it was asked, and knows version 0 only', async () => {
    const responder = responderOf(exampleZone());
    const found = (reply: { additionals?: readonly object[] | undefined }): object | undefined => reply.additionals?.[0];
    const good = await ask(responder, { name: web, type: 'A', packet: opt(4096, 0, 0x8000) });
    expect(found(good)).toMatchObject({ type: 'OPT', udpPayloadSize: 1232, flag_do: true, extendedRcode: 0 });
    const bad = await ask(responder, { name: web, type: 'A', packet: opt(4096, 1) });
    expect(found(bad)).toMatchObject({ type: 'OPT', extendedRcode: 1, ednsVersion: 0 });
    expect(bad.answerLines).toEqual([]);
  });

  it('lets addresses take turns at the first place', async () => {
    const responder = responderOf(bigZone(3));
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 6; i++) firsts.add((await ask(responder, { name, type: 'A' })).answerLines[0]);
    expect(firsts.size).toBe(3);
  });
});

describe('changes', () => {
  it('forgets prepared answers when the service changes or goes', async () => {
    const zone = bigZone(2);
    const responder = responderOf(zone);
    const big = { name: 'big.blue.svc.cluster.local', type: 'A' };
    expect((await ask(responder, big)).answerLines).toHaveLength(2);
    const slice = { namespace: 'blue', service: 'big', ports: [], endpoints: [{ addresses: [parseAddress('10.33.9.9')], hostname: '', isReady: true }] };
    zone.setService(
      { namespace: 'blue', name: 'big', kind: 'headless', clusterIps: [], externalName: '', ports: [], publishNotReadyAddresses: false },
      [slice],
    );
    expect((await ask(responder, big)).answerLines).toEqual(['big.blue.svc.cluster.local 5 A 10.33.9.9']);
    zone.removeService('blue', 'big');
    expect((await ask(responder, big)).rcode).toBe('NXDOMAIN');
    expect(zone.find(parseName('big.blue.svc.cluster.local'))).toBeUndefined();
  });

  it('gives negative answers the new serial', async () => {
    const zone = exampleZone();
    const responder = responderOf(zone);
    const serial = async (): Promise<unknown> =>
      (await ask(responder, { name: 'x.cluster.local', type: 'A' })).authorities?.map((a) => ('data' in a ? a.data : undefined));
    const before = await serial();
    zone.setSerial(1_700_000_001);
    expect(before).toMatchObject([{ serial: 1_700_000_000 }]);
    expect(await serial()).toMatchObject([{ serial: 1_700_000_001 }]);
  });
});

describe('any bytes', () => {
  const responder = responderOf(exampleZone());

  it('never throws, and answers only what can be read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const reply = responder.respond(Buffer.from(bytes), udp);
        if (!Buffer.isBuffer(reply)) return;
        expect(reply.readUInt16BE(0)).toBe((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0));
        decode(reply);
      }),
      { numRuns: 3000 },
    );
  });

  it('answers every well-formed question within the limits', () => {
    const labels = fc.constantFrom('web', 'peers', 'outside', 'blue', 'svc', 'pod', 'cluster', 'local', '_http', '_tcp', '10-32-0-4', '20', 'arpa', 'é');
    const names = fc.oneof(
      fc.array(labels, { maxLength: 8 }).map((parts) => parts.join('.')),
      fc.array(labels, { maxLength: 4 }).map((parts) => [...parts, 'blue.svc.cluster.local'].join('.')),
    );
    const types = fc.constantFrom('A', 'AAAA', 'SRV', 'PTR', 'CNAME', 'TXT', 'SOA', 'NS', 'ANY', 'HINFO');
    fc.assert(
      fc.property(names, types, fc.boolean(), (name, type, isTcp) => {
        const reply = responder.respond(questionBytes({ name, type }), isTcp ? tcp : udp);
        if (!Buffer.isBuffer(reply)) throw new Error('no answer at once');
        expect(reply.length).toBeLessThanOrEqual(isTcp ? 65_535 : 512);
        expect(readReply(reply).rcode).toMatch(/^(NOERROR|NXDOMAIN|SERVFAIL|REFUSED)$/);
      }),
      { numRuns: 2000 },
    );
  });
});
