import { ask, responderOf } from '../testing/ask';
import { exampleZone } from '../testing/cluster';
import { queryOf, upstreamMessage } from '../testing/upstream';
import type { UpstreamMessage } from '../wire/upstream-message';
import { Forwarder, type ForwarderOptions } from './forwarder';
import { formatUpstream, parseUpstreamAddress, upstreamsOfResolvConf, type Upstream } from './resolv-conf';

const www = { name: 'www.example.com', type: 'A' };
const servers: Upstream[] = [{ host: '192.0.2.1', port: 53 }, { host: '192.0.2.2', port: 53 }];
const found = (ttl = 300): UpstreamMessage =>
  upstreamMessage(www, { answers: [{ type: 'A', name: 'www.example.com', ttl, data: '198.51.100.7' }] });
const servfail = (): UpstreamMessage => upstreamMessage(www, { flags: 0x182 });

function forwarderOf(options: Partial<ForwarderOptions>): { forwarder: Forwarder; asked: string[] } {
  const asked: string[] = [];
  const exchange = options.exchange ?? (() => Promise.resolve(found()));
  const forwarder = new Forwarder({
    upstreams: servers,
    timeoutMs: 3000,
    outstanding: { total: 3, perClient: 2 },
    cache: { entriesMax: 100, bytesMax: 1 << 20 },
    now: () => 0,
    ...options,
    exchange: (upstream, query, timeoutMs) => {
      asked.push(upstream.host);
      return exchange(upstream, query, timeoutMs);
    },
  });
  return { forwarder, asked };
}

describe('cache', () => {
  it('keeps an answer for its TTL and says how old it is', async () => {
    let now = 1000;
    const { forwarder, asked } = forwarderOf({ now: () => now, exchange: () => Promise.resolve(found(10)) });
    await forwarder.ask(queryOf(www), 'a');
    now += 9500;
    expect(await forwarder.ask(queryOf(www), 'a')).toMatchObject({ ageSeconds: 9, isCached: true });
    now += 500;
    expect(await forwarder.ask(queryOf(www), 'a')).toMatchObject({ ageSeconds: 0, isCached: false });
    expect(asked).toHaveLength(2);
  });

  it('keeps negative answers at most 30 seconds', async () => {
    let now = 0;
    const soa = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 3600 };
    const negative = upstreamMessage(www, { flags: 0x183, authorities: [{ type: 'SOA', name: 'example.com', ttl: 3600, data: soa }] });
    const { forwarder, asked } = forwarderOf({ now: () => now, exchange: () => Promise.resolve(negative) });
    await forwarder.ask(queryOf(www), 'a');
    now = 29_999;
    await forwarder.ask(queryOf(www), 'a');
    now = 30_000;
    await forwarder.ask(queryOf(www), 'a');
    expect(asked).toHaveLength(2);
  });

  it.each([
    { what: 'failures', message: servfail },
    { what: 'answers with TTL 0', message: () => found(0) },
  ])('does not keep $what', async ({ message }) => {
    const { forwarder } = forwarderOf({ upstreams: servers.slice(0, 1), exchange: () => Promise.resolve(message()) });
    await forwarder.ask(queryOf(www), 'a');
    expect(forwarder.cacheEntries).toBe(0);
  });

  it('tells questions apart by type, DO and CD, not by letters', async () => {
    const { forwarder, asked } = forwarderOf({});
    const query = queryOf(www);
    await forwarder.ask(query, 'a');
    await forwarder.ask(queryOf({ name: 'WWW.example.COM', type: 'A' }), 'a');
    expect(asked).toHaveLength(1);
    await forwarder.ask({ ...query, type: 28 }, 'a');
    await forwarder.ask({ ...query, edns: { payloadBytes: 1232, version: 0, wantsDnssec: true } }, 'a');
    await forwarder.ask({ ...query, flags: query.flags | 0x10 }, 'a');
    expect(asked).toHaveLength(4);
  });

  it('forgets the oldest entries when it is full', async () => {
    const { forwarder } = forwarderOf({ cache: { entriesMax: 2, bytesMax: 1 << 20 } });
    for (const type of [1, 2, 3]) await forwarder.ask({ ...queryOf(www), type }, 'a');
    expect(forwarder.cacheEntries).toBe(2);
    expect(forwarder.findCached({ ...queryOf(www), type: 1 })).toBeUndefined();
  });
});

describe('servers', () => {
  it('goes on to the next server, and stays with the one that answered', async () => {
    const { forwarder, asked } = forwarderOf({
      exchange: ({ host }) => (host === '192.0.2.1' ? Promise.reject(new Error('away')) : Promise.resolve(found())),
    });
    await forwarder.ask(queryOf(www), 'a');
    await forwarder.ask({ ...queryOf(www), type: 28 }, 'a');
    expect(asked).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.2']);
  });

  it('prefers a server that answers to one that fails', async () => {
    const { forwarder } = forwarderOf({ exchange: ({ host }) => Promise.resolve(host === '192.0.2.1' ? servfail() : found()) });
    expect((await forwarder.ask(queryOf(www), 'a')).message.code).toBe(0);
  });

  it('gives up after three tries, with the last reason', async () => {
    const { forwarder, asked } = forwarderOf({ exchange: ({ host }) => Promise.reject(new Error(`${host} is away`)) });
    await expect(forwarder.ask(queryOf(www), 'a')).rejects.toThrow('192.0.2.1 is away');
    expect(asked).toHaveLength(3);
    expect(forwarder.outstanding).toBe(0);
  });

  it('asks once for clients that ask the same at the same time', async () => {
    const { forwarder, asked } = forwarderOf({});
    await Promise.all([forwarder.ask(queryOf(www), 'a'), forwarder.ask(queryOf(www), 'b')]);
    expect(asked).toHaveLength(1);
  });

  it.each([
    { clients: ['a', 'a', 'a'], who: 'one client' },
    { clients: ['a', 'b', 'c', 'd'], who: 'all clients together' },
  ])('limits what waits for $who', async ({ clients }) => {
    const { forwarder } = forwarderOf({ exchange: () => new Promise((resolve) => setTimeout(() => resolve(found()), 20)) });
    const asked = clients.map((client, type) => forwarder.ask({ ...queryOf(www), type }, client));
    const results = await Promise.allSettled(asked);
    expect(results.map(({ status }) => status)).toEqual([...clients.slice(1).map(() => 'fulfilled'), 'rejected']);
    expect(results.at(-1)).toMatchObject({ reason: { code: 'RESOURCE_EXHAUSTED' } });
    expect(forwarder.outstanding).toBe(0);
  });
});

describe('answers to clients', () => {
  const upstreams = servers.slice(0, 1);

  it('forwards other names, and serves them from the cache afterwards', async () => {
    const responder = responderOf(exampleZone(), { forwarder: { upstreams, exchange: () => Promise.resolve(found()) } });
    for (let i = 0; i < 2; i++) {
      const reply = await ask(responder, { ...www, packet: { id: i } });
      expect([reply.id, reply.rcode, reply.answerLines]).toEqual([i, 'NOERROR', ['www.example.com 300 A 198.51.100.7']]);
    }
  });

  it('refuses to forward for those who do not want recursion', async () => {
    const responder = responderOf(exampleZone(), { forwarder: { upstreams, exchange: () => Promise.resolve(found()) } });
    expect((await ask(responder, { ...www, packet: { flags: 0 } })).rcode).toBe('REFUSED');
  });

  it('follows an ExternalName to other servers', async () => {
    const responder = responderOf(exampleZone(), { forwarder: { upstreams, exchange: () => Promise.resolve(found(60)) } });
    const name = 'outside.blue.svc.cluster.local';
    const reply = await ask(responder, { name, type: 'A' });
    expect(reply.answerLines).toEqual([`${name} 5 CNAME www.example.com`, 'www.example.com 60 A 198.51.100.7']);
  });

  it.each(['www.example.com', 'outside.blue.svc.cluster.local'])('%s: SERVFAIL when nobody answers', async (name) => {
    const responder = responderOf(exampleZone(), { forwarder: { upstreams, exchange: () => Promise.reject(new Error('away')) } });
    expect((await ask(responder, { name, type: 'A' })).rcode).toBe('SERVFAIL');
  });
});

describe('upstreamsOfResolvConf', () => {
  it('takes name servers, and leaves out comments, loopback and nonsense', () => {
    const text = '# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1\n nameserver\t2001:db8::53\nnameserver 127.0.0.53\nnameserver ::1\nnameserver x\n';
    expect(upstreamsOfResolvConf(text).map(formatUpstream)).toEqual(['192.0.2.1:53', '[2001:db8::53]:53']);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1:53'],
    ['192.0.2.1:5353', '192.0.2.1:5353'],
    ['2001:db8::1', '[2001:db8::1]:53'],
    ['[2001:db8::1]:5353', '[2001:db8::1]:5353'],
    ['192.0.2.1:0', undefined],
    ['192.0.2.1:70000', undefined],
    ['example.com', undefined],
  ])('%s is %s', (text, expected) => {
    const upstream = parseUpstreamAddress(text);
    expect(upstream && formatUpstream(upstream)).toBe(expected);
  });
});
