import { setTimeout as sleep } from 'node:timers/promises';
import { ContrailError } from '@contrail/errors';
import type { Change, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { ControlServiceClient, ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import { DnsServiceClient, DnsServiceService } from '@contrail/proto-gen/dns/v1/dns_service';
import { startTelemetry, withSpan } from '@contrail/telemetry';
import { testPki } from '@contrail/testing';
import { bidi, callUnary, closeClient, createClient, defineService, encodedUnary, EncodedMessage, openBidi, openServerStream, serverStream, startServer, staticTls, unary } from './index';
import type { Caller, RunningServer } from './index';
import { AgentServiceClient, AgentServiceService } from '@contrail/proto-gen/agent/v1/agent_service';
import { StatusResponse } from '@contrail/proto-gen/dns/v1/messages';
import { WatchDropsResponse } from '@contrail/proto-gen/agent/v1/messages';

const pki = testPki();
const tlsOf = (service: string, node?: string): ReturnType<typeof staticTls> => staticTls(pki.issue(service, node ? { node } : {}));

function dnsService(seen: Caller[], allow: readonly string[] | 'any' = ['contrailctl']): ReturnType<typeof defineService> {
  return defineService(DnsServiceService, {
    explain: {
      allow,
      handle: unary(async (request, { caller, signal }) => {
        seen.push(caller);
        if (request.name === 'slow') await sleep(5000, undefined, { signal });
        if (request.name === 'missing') throw new ContrailError('NOT_FOUND', 'Service/default/missing: no such service');
        if (request.name === 'bug') throw new TypeError('x is undefined');
        return { view: 'cluster', responseCode: 'NOERROR', answers: [request.name], reasons: [] };
      }),
    },
    status: { allow: 'any', handle: unary(() => Promise.resolve({ synced: true, services: 1, endpointSlices: 1, queries: 1n, problems: [] })) },
  });
}

describe('unary calls over mutual TLS', () => {
  const seen: Caller[] = [];
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ address: '127.0.0.1:0', tls: tlsOf('dns'), services: [dnsService(seen)] });
  });
  afterAll(() => server.stop(100));

  const dial = (service: string, node?: string, expected = 'dns'): DnsServiceClient =>
    createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: expected, tls: tlsOf(service, node) });
  const explain = (client: DnsServiceClient, name: string, deadlineMs = 2000): Promise<unknown> =>
    callUnary(client, 'explain', { name, type: 'A', client: Buffer.alloc(0) }, { deadlineMs });

  it('tell the server who calls', async () => {
    const client = dial('contrailctl', 'node-1');
    expect(await explain(client, 'web')).toMatchObject({ answers: ['web'] });
    expect(seen.at(-1)).toEqual({ service: 'contrailctl', node: 'node-1' });
    closeClient(client);
  });

  it('of several connections are told apart, however often each calls', async () => {
    const clients = ['a', 'b', 'c'].map((node) => ({ node, client: dial('contrailctl', node) }));
    for (let round = 0; round < 3; round += 1) {
      for (const { node, client } of clients) {
        await explain(client, 'web');
        expect(seen.at(-1)).toEqual({ service: 'contrailctl', node });
      }
    }
    for (const { client } of clients) closeClient(client);
  });

  it('are refused for services that are not listed, with the list', async () => {
    const client = dial('kube-manager');
    await expect(explain(client, 'web')).rejects.toMatchObject({ code: 'PERMISSION_DENIED', message: expect.stringContaining('allowed: contrailctl') as string });
    closeClient(client);
  });

  it('are refused when the server is not who it should be', async () => {
    const client = dial('contrailctl', undefined, 'config-api');
    await expect(explain(client, 'web')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    closeClient(client);
  });

  it('are refused for certificates of another CA', async () => {
    const other = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: staticTls({ ...testPki().issue('contrailctl'), ca: pki.caCert }) });
    await expect(explain(other, 'web')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    closeClient(other);
  });

  it('carry the code and text of what the server threw', async () => {
    const client = dial('contrailctl');
    await expect(explain(client, 'missing')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'explain: Service/default/missing: no such service' });
    await expect(explain(client, 'bug')).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(explain(client, 'slow', 50)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    closeClient(client);
  });
});

it('certificates rotate without restart of server or client', async () => {
  const serverTls = tlsOf('dns');
  const clientTls = tlsOf('contrailctl');
  const seen: Caller[] = [];
  const server = await startServer({ address: '127.0.0.1:0', tls: serverTls, services: [dnsService(seen, ['contrailctl', 'web-ui'])] });
  const call = async (): Promise<void> => {
    const client = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: clientTls });
    await callUnary(client, 'explain', { name: 'a', type: 'A', client: Buffer.alloc(0) });
    closeClient(client);
  };
  await call();
  const next = testPki();
  serverTls.update(next.issue('dns'));
  await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  clientTls.update(next.issue('web-ui'));
  await call();
  expect(seen.map((caller) => caller.service)).toEqual(['contrailctl', 'web-ui']);
  await server.stop(100);
});

it('a port without client certificates serves methods that allow any', async () => {
  const server = await startServer({ address: '127.0.0.1:0', tls: tlsOf('dns'), clientCertificate: 'none', services: [dnsService([])] });
  const client = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: staticTls({ ca: pki.caCert }) });
  expect(await callUnary(client, 'status', {})).toMatchObject({ synced: true });
  await expect(callUnary(client, 'explain', { name: 'a', type: 'A', client: Buffer.alloc(0) })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  closeClient(client);
  await server.stop(100);
});

it('a response that is encoded already goes out as it is', async () => {
  const answer = { synced: true, services: 3, endpointSlices: 4, queries: 5n, problems: ['none'] };
  const service = defineService(DnsServiceService, {
    explain: { allow: 'any', handle: unary(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) },
    status: { allow: 'any', handle: encodedUnary(() => Promise.resolve(new EncodedMessage<StatusResponse>(StatusResponse.encode(answer).finish()))) },
  });
  const server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  const client = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: 'insecure' });
  expect(await callUnary(client, 'status', {})).toEqual(answer);
  closeClient(client);
  await server.stop(100);
});

it('a handler that looks at its signal after the client has gone finds it aborted', async () => {
  let aborted: boolean | undefined;
  const service = defineService(DnsServiceService, {
    explain: {
      allow: 'any',
      handle: unary(async (_request, context) => {
        await sleep(300);
        aborted = context.signal.aborted;
        throw new ContrailError('ABORTED', 'nobody hears this');
      }),
    },
    status: { allow: 'any', handle: unary(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) },
  });
  const server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  const client = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: 'insecure' });
  const call = callUnary(client, 'explain', { name: 'a', type: 'A', client: Buffer.alloc(0) }, { deadlineMs: 50 });
  await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  while (aborted === undefined) await sleep(20);
  expect(aborted).toBe(true);
  closeClient(client);
  await server.stop(100);
});

it('a handler learns the trace of its call, and its client the span in which it runs', async () => {
  const telemetry = startTelemetry('rpc-test', { ratio: 1 });
  const seen: string[] = [];
  const service = defineService(DnsServiceService, {
    explain: { allow: 'any', handle: unary(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) },
    status: {
      allow: 'any',
      handle: unary((_request, { traceparent }) => {
        seen.push(traceparent);
        return Promise.resolve({ synced: true, services: 1, endpointSlices: 1, queries: 1n, problems: [] });
      }),
    },
  });
  const server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  const client = createClient(DnsServiceClient, { address: `127.0.0.1:${server.port}`, service: 'dns', tls: 'insecure' });
  const trace = '0af7651916cd43dd8448eb211c80319c';
  for (const flags of ['01', '00']) {
    await withSpan('reconcile', { traceparent: `00-${trace}-b7ad6b7169203331-${flags}` }, () => callUnary(client, 'status', {}));
    expect(seen.at(-1)).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-${flags}$`));
  }
  await callUnary(client, 'status', {});
  expect(seen.at(-1)).not.toContain(trace);
  closeClient(client);
  await server.stop(100);
  await telemetry.stop();
});

it('bidi streams carry messages both ways and end with the server\'s error', async () => {
  const service = defineService({ sync: ControlServiceService.sync }, {
    sync: {
      allow: 'any',
      handle: bidi(async (stream) => {
        for await (const message of stream.messages()) {
          if (message.kind?.$case === 'hello') await stream.write({ kind: { $case: 'inSync', value: { revision: 7n } } });
          if (message.kind?.$case === 'ack') throw new ContrailError('ABORTED', 'enough');
        }
      }),
    },
  });
  const server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  const client = createClient(ControlServiceClient, { address: `127.0.0.1:${server.port}`, service: 'control', tls: 'insecure' });
  const stream = openBidi(client, 'sync');
  await stream.write({ kind: { $case: 'hello', value: { node: 'n', protocolVersion: 1 } } });
  const got: unknown[] = [];
  const read = (async () => {
    for await (const message of stream.messages()) {
      got.push(message);
      await stream.write({ kind: { $case: 'ack', value: { revision: 7n, exceptions: [], sequence: 0n } } });
    }
  })();
  await expect(read).rejects.toMatchObject({ code: 'ABORTED', message: 'sync: enough' });
  expect(got).toEqual([{ kind: { $case: 'inSync', value: { revision: 7n } } }]);
  closeClient(client);
  await server.stop(100);
});

it('a server stream waits for a slow reader and stops when the reader leaves', async () => {
  let written = 0;
  let aborted = false;
  const notHere = unary<never, never>(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here')));
  const absent = { allow: 'any', handle: notHere } as const;
  const payload = WatchDropsResponse.fromPartial({ events: Array.from({ length: 2000 }, () => ({ reason: 1, reasonName: 'x'.repeat(50) })) });
  const service = defineService(AgentServiceService, {
    status: absent, listInterfaces: absent, listVrfs: absent, listRoutes: absent, listNextHops: absent, listServices: absent, listDrops: absent, verify: absent,
    listFlows: { allow: 'any', handle: serverStream<never, never>(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) },
    watchDrops: {
      allow: 'any',
      handle: serverStream(async (_request, stream) => {
        stream.signal.addEventListener('abort', () => { aborted = true; });
        for (;;) {
          await stream.write(payload);
          written += 1;
        }
      }),
    },
  });
  const server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  const client = createClient(AgentServiceClient, { address: `127.0.0.1:${server.port}`, service: 'agent', tls: 'insecure' });
  for await (const message of openServerStream(client, 'watchDrops', {})) {
    expect(message.events).toHaveLength(2000);
    await sleep(300);
    break;
  }
  expect(written).toBeLessThan(100);
  await sleep(100);
  expect(aborted).toBe(true);
  closeClient(client);
  await server.stop(100);
});

it('types: the generated config client fits', () => {
  const typed = (client: ConfigServiceClient): [Promise<unknown>, AsyncIterable<WatchResponse>] => [callUnary(client, 'getProgress', {}), openServerStream(client, 'watch', { types: [], resume: undefined })];
  expect(typeof typed).toBe('function');
  const change: Partial<Change> = {};
  expect(change.uuid).toBeUndefined();
});
