import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Answer } from 'dns-packet';
import { DnsServiceClient } from '@contrail/proto-gen/dns/v1/dns_service';
import { callUnary, closeClient, createClient, staticTls } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import { loadConfig } from './config';
import { startDns, type DnsProcess } from './dns-process';
import { registerState } from './serve/metrics';
import { namespaces, services, slices } from './testing/cluster';
import { questionBytes, readReply, type Reply } from './testing/ask';
import { startFakeKubeApi, type FakeKubeApi } from './testing/fake-kube-api';
import { startFakeNameServer, type FakeNameServer } from './testing/fake-name-server';

const web = 'web.blue.svc.cluster.local';
const manyAddresses = (name: string): Answer[] =>
  Array.from({ length: 40 }, (_, i) => ({ type: 'A', name, ttl: 60, data: `198.51.100.${i}` }));

function askUdp(port: number, name: string, type = 'A'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.once('message', (message) => {
      socket.close();
      resolve(readReply(message));
    });
    socket.send(questionBytes({ name, type }), port, '127.0.0.1');
  });
}

function framed(name: string, id: number): Buffer {
  const question = questionBytes({ name, type: 'A', packet: { id } });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(question.length);
  return Buffer.concat([length, question]);
}

/** Sends chunks and collects so many answers. */
function askTcp(port: number, chunks: readonly Buffer[], count: number): Promise<Reply[]> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const replies: Reply[] = [];
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0);
        replies.push(readReply(received.subarray(2, 2 + length)));
        received = received.subarray(2 + length);
      }
      if (replies.length < count) return;
      resolve(replies);
      socket.destroy();
    });
    chunks.forEach((chunk, i) => setTimeout(() => socket.write(chunk), i * 5));
  });
}

async function eventually(check: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await check();
    } catch (error: unknown) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('the whole process', () => {
  const pki = testPki();
  const folder = mkdtempSync(path.join(tmpdir(), 'dns-'));
  let api: FakeKubeApi;
  let upstream: FakeNameServer;
  let dns: DnsProcess;

  beforeAll(async () => {
    const { ca, cert, key } = pki.issue('dns');
    for (const [name, content] of Object.entries({ 'ca.crt': ca, 'tls.crt': cert, 'tls.key': key })) {
      writeFileSync(path.join(folder, name), content);
    }
    api = await startFakeKubeApi({
      services,
      endpointslices: slices,
      namespaces: namespaces.map((name) => ({ metadata: { name, resourceVersion: '1' } })),
    });
    upstream = await startFakeNameServer((name, transport) => {
      if (name === 'silent.example.com') return undefined;
      if (name === 'big.example.com' && transport === 'udp') return { flags: 0x380 };
      return { answers: manyAddresses(name).slice(0, name === 'big.example.com' ? 40 : 1) };
    });
    const config = loadConfig({
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      DNS_ADDRESS: '127.0.0.1:0',
      LISTEN_ADDRESS: '127.0.0.1:0',
      ADMIN_ADDRESS: '127.0.0.1:0',
      TLS_CERT_FILE: path.join(folder, 'tls.crt'),
      TLS_KEY_FILE: path.join(folder, 'tls.key'),
      TLS_CA_FILE: path.join(folder, 'ca.crt'),
      FORWARDERS: `${upstream.host}:${upstream.port}`,
      FORWARD_TIMEOUT: '600ms',
      TCP_CONNECTIONS_PER_CLIENT_MAX: '3',
      TCP_IDLE_TIMEOUT: '300ms',
    });
    dns = await startDns(config, api.connection);
    registerState(dns.state);
    await eventually(async () => expect((await fetch(`http://127.0.0.1:${dns.adminPort}/readyz`)).status).toBe(200));
  });

  afterAll(async () => {
    await dns.stop();
    await Promise.all([api.stop(), upstream.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers by UDP', async () => {
    expect((await askUdp(dns.dnsPort, web)).answerLines).toEqual([`${web} 5 A 10.96.0.20`]);
  });

  it('answers several questions on one TCP connection, in whatever pieces they come', async () => {
    const bytes = Buffer.concat([framed(web, 1), framed('peers.blue.svc.cluster.local', 2), framed('www.example.com', 3)]);
    const replies = await askTcp(dns.dnsPort, [bytes.subarray(0, 1), bytes.subarray(1, 30), bytes.subarray(30)], 3);
    expect(replies.map(({ id, answerLines }) => [id, answerLines.length]).sort()).toEqual([[1, 1], [2, 2], [3, 1]]);
  });

  it('closes idle connections, those above the limit, and those with too long questions', async () => {
    const started = Date.now();
    const closing = (chunks: readonly Buffer[]): Promise<unknown> => expect(askTcp(dns.dnsPort, chunks, 1)).rejects.toThrow(/closed|ECONNRESET/);
    await Promise.all([1, 2, 3, 4].map(() => closing([])));
    expect(Date.now() - started).toBeLessThan(3000);
    await closing([Buffer.from([0xff, 0xff, 1])]);
  });

  it('follows changes of the cluster', async () => {
    const created = { metadata: { name: 'new', namespace: 'blue', uid: 'u' }, spec: { clusterIPs: ['10.96.0.77'] } };
    api.emit('services', 'ADDED', created);
    await eventually(async () => expect((await askUdp(dns.dnsPort, 'new.blue.svc.cluster.local')).answerLines).toHaveLength(1));
    api.emit('services', 'DELETED', created);
    await eventually(async () => expect((await askUdp(dns.dnsPort, 'new.blue.svc.cluster.local')).rcode).toBe('NXDOMAIN'));
  });

  it('forwards, keeps the answer, and asks by TCP what did not fit', async () => {
    expect((await askUdp(dns.dnsPort, 'a.example.com')).answerLines).toEqual(['a.example.com 60 A 198.51.100.0']);
    await askUdp(dns.dnsPort, 'a.example.com');
    expect(upstream.asked.filter((line) => line.endsWith(' a.example.com'))).toEqual(['udp a.example.com']);
    const [big] = await askTcp(dns.dnsPort, [framed('big.example.com', 9)], 1);
    expect(big?.answerLines).toHaveLength(40);
    expect(upstream.asked).toContain('tcp big.example.com');
  });

  it('answers SERVFAIL when the other server is silent', async () => {
    expect((await askUdp(dns.dnsPort, 'silent.example.com')).rcode).toBe('SERVFAIL');
  });

  it('explains itself to contrailctl, and to nobody else', async () => {
    const clientOf = (service: string): DnsServiceClient =>
      createClient(DnsServiceClient, { address: `127.0.0.1:${dns.grpcPort ?? 0}`, service: 'dns', tls: staticTls(pki.issue(service)) });
    const contrailctl = clientOf('contrailctl');
    const explain = (name: string, type = 'A'): Promise<unknown> =>
      callUnary(contrailctl, 'explain', { name, type, client: Buffer.alloc(0) });
    await expect(explain(web)).resolves.toEqual({
      view: 'cluster',
      responseCode: 'NOERROR',
      answers: [`${web}. 5 IN A 10.96.0.20`],
      reasons: [`${web}. is made by Service/blue/web`],
    });
    await expect(explain('nothing.blue.svc.cluster.local')).resolves.toMatchObject({ responseCode: 'NXDOMAIN' });
    await expect(explain('www.example.com')).resolves.toMatchObject({ reasons: [expect.stringContaining('is asked of 127.0.0.1:')] });
    await expect(explain(web, 'X')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const status = await callUnary(contrailctl, 'status', {});
    expect(status).toMatchObject({ synced: true, services: 13, endpointSlices: 8, problems: [] });
    expect(status.queries).toBeGreaterThan(0n);
    const stranger = clientOf('ipam');
    await expect(callUnary(stranger, 'status', {})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    for (const client of [contrailctl, stranger]) closeClient(client);
  });

  it('counts what it did', async () => {
    const text = await (await fetch(`http://127.0.0.1:${dns.adminPort}/metrics`)).text();
    expect(text).toMatch(/contrail_dns_queries_total\{transport="udp",type="A",rcode="NOERROR",source="zone"\} [1-9]/);
    expect(text).toMatch(/contrail_dns_services 13/);
    expect(text).toMatch(/contrail_dns_dropped_total\{reason="too many connections"\} [1-9]/);
  });
});

describe('before Kubernetes has been read', () => {
  it('is not ready, says why, and does not deny names', async () => {
    const config = loadConfig({
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      DNS_ADDRESS: '127.0.0.1:0',
      ADMIN_ADDRESS: '127.0.0.1:0',
      TLS_CERT_FILE: '/nonexistent',
      FORWARDERS: 'none',
    });
    const nobody = { protocol: 'http:' as const, host: '127.0.0.1', port: 1, credentials: () => ({}) };
    const dns = await startDns(config, nobody);
    try {
      await eventually(async () => {
        const ready = await fetch(`http://127.0.0.1:${dns.adminPort}/readyz`);
        expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('127.0.0.1:1')]);
      });
      expect((await fetch(`http://127.0.0.1:${dns.adminPort}/healthz`)).status).toBe(200);
      expect((await askUdp(dns.dnsPort, web)).rcode).toBe('SERVFAIL');
      expect(dns.grpcPort).toBeUndefined();
    } finally {
      await dns.stop();
    }
  });
});
