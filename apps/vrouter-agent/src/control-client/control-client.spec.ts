import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BootstrapServiceService } from '@contrail/proto-gen/config/v1/config_service';
import { ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import type { SyncRequest, SyncResponse } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError } from '@contrail/errors';
import { systemClock } from '@contrail/reconcile';
import { bidi, defineService, startServer, staticTls, unary } from '@contrail/rpc';
import type { BidiStream, RunningServer } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import * as make from '../testing/entries';
import { newDatapath, newState } from '../testing/fixture';
import { ControlSession } from './control-session';
import { NodeIdentity } from './node-identity';

const pki = testPki();
const folder = mkdtempSync(path.join(tmpdir(), 'control-client-'));
const caFile = path.join(folder, 'ca.crt');
const tokenFile = path.join(folder, 'token');
writeFileSync(caFile, pki.caCert);
writeFileSync(tokenFile, 'the-token\n');
const servers: RunningServer[] = [];
const aborts: AbortController[] = [];

afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort();
  await Promise.all(servers.splice(0).map((server) => server.stop(50)));
});
afterAll(() => rmSync(folder, { recursive: true }));

function newSignal(): AbortSignal {
  const abort = new AbortController();
  aborts.push(abort);
  return abort.signal;
}

// The machine may be busy.
jest.setTimeout(30_000);

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries += 1) {
    if (tries > 1500) throw new Error('did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

type Script = (stream: BidiStream<SyncRequest, SyncResponse>) => Promise<void>;

/** Plays control; each connection runs the next script. */
async function control(scripts: Script[], port = 0): Promise<string> {
  const server = await startServer({
    address: `127.0.0.1:${port}`,
    tls: staticTls(pki.issue('control')),
    services: [
      defineService({ sync: ControlServiceService.sync }, {
        sync: { allow: ['vrouter-agent'], handle: bidi<SyncRequest, SyncResponse>((stream) => (scripts.shift() ?? idle)(stream)) },
      }),
    ],
  });
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

const idle: Script = (stream) => new Promise((resolve) => stream.signal.addEventListener('abort', () => resolve()));

function inSync(revision: bigint): SyncResponse {
  return { kind: { $case: 'inSync', value: { revision } } };
}

function batchOf(...args: Parameters<typeof make.batch>): SyncResponse {
  return { kind: { $case: 'batch', value: make.batch(...args) } };
}

describe('ControlSession', () => {
  const tls = staticTls(pki.issue('vrouter-agent', { node: 'node1' }));

  it('says hello, takes the snapshot, acknowledges what is programmed and names exceptions', async () => {
    const received: SyncRequest[] = [];
    const address = await control([
      async (stream) => {
        const reading = (async () => {
          for await (const message of stream.messages()) received.push(message);
        })();
        await stream.write(batchOf(1, [make.globalEntry(), make.nodeEntry('node1', '192.0.2.1')]));
        await stream.write(inSync(4n));
        await until(() => received.length === 2);
        const broken = make.routeEntry(5, '10.0.0.0/8', { nextHop: { $case: 'tunnel', value: { remote: Buffer.alloc(1), vni: 1, mac: Buffer.alloc(6) } }, preference: 0 });
        await stream.write(batchOf(5, [make.vrfEntry(5), broken]));
        await reading;
      },
    ]);
    const datapath = newDatapath();
    const state = newState(datapath);
    const session = new ControlSession({ node: 'node1', addresses: [address], tls, state, clock: systemClock });
    const running = session.run(newSignal());
    await until(() => received.length === 3);
    expect(received.map(({ kind }) => kind)).toEqual([
      { $case: 'hello', value: { node: 'node1', protocolVersion: 1 } },
      { $case: 'ack', value: { revision: 4n, sequence: 1n, exceptions: [] } },
      { $case: 'ack', value: { revision: 5n, sequence: 5n, exceptions: [{ key: 'route/5/10.0.0.0/8', reason: 'path.tunnel.remote: has 1 bytes; an address has 4 or 16' }] } },
    ]);
    expect(session.address).toBe(address);
    expect(datapath.vrfs.get(5)).toBeDefined();
    aborts[0]?.abort();
    await running;
  });

  it('goes to another replica and sweeps by its snapshot', async () => {
    const state = newState(newDatapath());
    const first = await control([
      async (stream) => {
        await stream.write(batchOf(1, [make.globalEntry(), make.vrfEntry(5), make.vrfEntry(6)]));
        await stream.write(inSync(1n));
        throw new ContrailError('UNAVAILABLE', 'this replica stops');
      },
    ]);
    const second = await control([
      async (stream) => {
        await stream.write(batchOf(2, [make.globalEntry(), make.vrfEntry(6)]));
        await stream.write(inSync(2n));
        await idle(stream);
      },
      idle,
    ]);
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    const session = new ControlSession({ node: 'node1', addresses: [first, second], tls, state, clock: systemClock });
    void session.run(newSignal());
    await until(() => state.progress()?.revision === 2n);
    random.mockRestore();
    expect(session.address).toBe(second);
    expect(state.desired.entries.units().filter((unit) => unit.startsWith('vrf/'))).toEqual(['vrf/6']);
  });

  it('names the replica and the cause while it cannot connect, and connects when it can', async () => {
    const probe = await control([]);
    await Promise.all(servers.splice(0).map((server) => server.stop(0)));
    const state = newState(newDatapath());
    const session = new ControlSession({ node: 'node1', addresses: [probe], tls, state, clock: systemClock });
    void session.run(newSignal());
    await until(() => session.problem?.includes('is not connected: ') === true);
    expect(session.problem).toContain(`control at ${probe}`);
    await control([async (stream) => { await stream.write(inSync(1n)); await idle(stream); }], Number(probe.split(':')[1]));
    await until(() => state.inSync);
    expect(session.problem).toBeUndefined();
  });
});

describe('NodeIdentity', () => {
  let exchanges = 0;
  /** Signs requests as config-api does. */
  function sign(request: string, days: number): string {
    exchanges += 1;
    const file = (name: string): string => path.join(folder, name);
    writeFileSync(file('csr'), request);
    writeFileSync(file('ca.key'), pki.caKey);
    writeFileSync(file('ext'), 'subjectAltName=DNS:vrouter-agent,URI:contrail://node/node1\n');
    execFileSync('openssl', ['x509', '-req', '-in', file('csr'), '-CA', caFile, '-CAkey', file('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', file('ext'), '-out', file('crt')], { stdio: 'ignore' });
    return readFileSync(file('crt'), 'utf8');
  }

  async function bootstrap(days = 1): Promise<string> {
    const server = await startServer({
      address: '127.0.0.1:0',
      tls: staticTls(pki.issue('config-api')),
      clientCertificate: 'none',
      services: [
        defineService(BootstrapServiceService, {
          exchangeToken: {
            allow: 'any',
            handle: unary(async (request: { token: string; certificateRequestPem: string }) => {
              if (request.token !== 'the-token') throw new ContrailError('UNAUTHENTICATED', 'token refused');
              return { certificatePem: sign(request.certificateRequestPem, days), caPem: '', notAfterS: 0n };
            }),
          },
        }),
      ],
    });
    servers.push(server);
    return `127.0.0.1:${server.port}`;
  }

  const options = (bootstrapAddress: string, stateFolder: string) => ({
    node: 'node1', bootstrapAddress, tokenFile, caFile, stateFolder: path.join(folder, stateFolder), clock: systemClock,
  });

  it('exchanges the token, and a restart needs nobody', async () => {
    exchanges = 0;
    const identity = new NodeIdentity(options(await bootstrap(), 'restart'));
    expect(identity.problem).toBe('no certificate yet');
    expect((await identity.start(newSignal())).hasIdentity).toBe(true);
    expect(identity.problem).toBeUndefined();
    const again = new NodeIdentity(options('127.0.0.1:1', 'restart'));
    expect((await again.start(newSignal())).hasIdentity).toBe(true);
    expect(exchanges).toBe(1);
  });

  it('does not use a stored certificate of another node', async () => {
    exchanges = 0;
    const address = await bootstrap();
    await new NodeIdentity(options(address, 'moved')).start(newSignal());
    const moved = new NodeIdentity({ ...options(address, 'moved'), node: 'node2' });
    const signal = newSignal();
    void moved.start(signal).catch(() => undefined);
    await until(() => exchanges >= 2);
    await until(() => moved.problem?.includes('it has no name URI:contrail://node/node2') === true);
  });

  it('renews at two thirds of the life, without a new start', async () => {
    exchanges = 0;
    const waits: number[] = [];
    const clock = {
      now: () => Date.now(),
      sleep: async (ms: number, signal?: AbortSignal): Promise<void> => {
        waits.push(ms);
        if (waits.length > 1) await systemClock.sleep(60_000, signal);
      },
    };
    const identity = new NodeIdentity({ ...options(await bootstrap(3), 'renew'), clock });
    const tls = await identity.start(newSignal());
    const updates: Buffer[] = [];
    tls.addIdentityCertificateListener((update) => update && updates.push(update.certificate));
    await until(() => exchanges === 2 && waits.length === 2);
    const twoDaysMs = 2 * 86_400_000;
    expect(Math.abs((waits[0] ?? 0) - twoDaysMs)).toBeLessThan(60_000);
    expect(updates.length).toBeGreaterThanOrEqual(1);
  });

  it('says why there is no certificate', async () => {
    writeFileSync(path.join(folder, 'bad-token'), 'other');
    const identity = new NodeIdentity({ ...options(await bootstrap(), 'refused'), tokenFile: path.join(folder, 'bad-token') });
    void identity.start(newSignal()).catch(() => undefined);
    await until(() => identity.problem?.includes('token refused') === true);
    expect(identity.problem).toMatch(/^no certificate from config-api at 127\.0\.0\.1:\d+: exchangeToken: token refused/);
  });
});
