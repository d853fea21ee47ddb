import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentServiceClient } from '@contrail/proto-gen/agent/v1/agent_service';
import { formatAddress } from '@contrail/net';
import { callUnary, closeClient, createClient, openServerStream } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { startAgent } from './agent-process';
import type { RunningAgent } from './agent-process';
import { loadConfig } from './config';
import type { Flow } from './datapath/port';
import type { FakeDatapath } from './datapath/testing/fake-datapath';
import * as make from './testing/entries';
import { FakeControl } from './testing/fake-control';
import { newDatapath } from './testing/fixture';

const folder = mkdtempSync(path.join(tmpdir(), 'agent-process-'));
const at = (name: string): string => path.join(folder, name);
writeFileSync(at('shim'), 'binary');

const snapshot = [
  make.globalEntry(),
  make.nodeEntry('node1', '192.0.2.1'),
  make.vrfEntry(make.podVrf, '10.47.255.254'),
  make.policyEntry(make.policyId),
  make.interfaceEntry(1),
  make.routeEntry(make.podVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
  make.serviceEntry('10.96.0.1', [make.backend(1), make.backend(2)]),
];
const adminPort = 20_000 + (process.pid % 10_000);

// The machine may be busy.
jest.setTimeout(30_000);

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await what()); tries += 1) {
    if (tries > 1500) throw new Error('did not happen within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function get(pathname: string): Promise<{ status: number; text: string }> {
  return fetchText({ host: '127.0.0.1', port: adminPort, path: pathname });
}

function fetchText(options: object, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

function cni(command: string): Promise<{ status: number; text: string }> {
  const env = {
    CNI_COMMAND: command, CNI_CONTAINERID: 'c1', CNI_NETNS: '/var/run/netns/c1', CNI_IFNAME: 'eth0',
    CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1;K8S_POD_UID=pod-uid-1',
  };
  const stdin = JSON.stringify({ cniVersion: '1.1.0', name: 'contrail' });
  return fetchText({ socketPath: at('cni.sock'), method: 'POST', path: '/cni' }, JSON.stringify({ env, stdin }));
}

describe('startAgent', () => {
  const control = new FakeControl(snapshot);
  let agent: RunningAgent;
  let datapath: FakeDatapath;
  let client: AgentServiceClient;
  let certificate: (tls: TlsSource | 'insecure') => void = () => undefined;

  beforeAll(async () => {
    datapath = newDatapath();
    const config = loadConfig({
      NODE_NAME: 'node1', NODE_IP: '192.0.2.1', CONTROL_ADDRESS: await control.start(), CONFIG_API_ADDRESS: '127.0.0.1:1',
      STATE_DIR: at('state'), AGENT_SOCKET: at('agent.sock'), CNI_SOCKET: at('cni.sock'), CNI_BIN_DIR: at('bin'),
      CNI_CONFIG_DIR: at('net.d'), CNI_SHIM_FILE: at('shim'), LISTEN_ADDRESS: '127.0.0.1:0', ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
      CNI_ADD_DEADLINE: '100ms',
    });
    const identity = { problem: undefined, start: () => new Promise<TlsSource | 'insecure'>((resolve) => (certificate = resolve)) };
    agent = await startAgent({ config, datapath, identity, events: { bandwidthIgnored: () => undefined, drifted: () => undefined } });
    client = createClient(AgentServiceClient, { address: `unix:${at('agent.sock')}`, service: 'vrouter-agent', tls: 'insecure' });
  });

  afterAll(async () => {
    closeClient(client);
    await agent.stop();
    await control.stop();
    rmSync(folder, { recursive: true });
  });

  it('serves its sockets but is not ready and brings no pods before control has spoken', async () => {
    expect((await get('/healthz')).status).toBe(200);
    expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('control is not connected') as string });
    expect(existsSync(at('bin/contrail-cni'))).toBe(true);
    expect(existsSync(at('net.d/10-contrail.conflist'))).toBe(false);
    expect((await cni('STATUS')).text).toContain('"code":50');
    expect(await callUnary(client, 'status', {})).toMatchObject({ node: 'node1', inSync: false, controlAddress: '' });
  });

  it('is ready, and lets the runtime know, when it is in sync', async () => {
    certificate('insecure');
    await until(async () => (await get('/readyz')).status === 200);
    expect(existsSync(at('net.d/10-contrail.conflist'))).toBe(true);
    expect((await cni('STATUS')).status).toBe(200);
    await until(() => control.acks.length > 0);
    expect(control.acks[0]).toMatchObject({ revision: 1n, exceptions: [] });
  });

  it('attaches a pod and shows it', async () => {
    expect((await callUnary(client, 'listInterfaces', {})).vifs.find(({ kind }) => kind === 'pod')).toMatchObject({ status: 'Pending', podName: 'web-1' });
    expect((await cni('ADD')).status).toBe(200);
    const { vifs } = await callUnary(client, 'listInterfaces', {});
    expect(vifs.find(({ kind }) => kind === 'pod')).toMatchObject({ status: 'Done', ifindex: 100, podNamespace: 'default', vrf: make.podVrf });
    expect(vifs.map(({ kind }) => kind).sort()).toEqual(['host', 'pod', 'tunnel', 'uplink']);
    expect(await callUnary(client, 'status', {})).toMatchObject({ inSync: true, interfaces: 1, tunnelMtu: 1450, problems: [] });
  });

  it('lists VRFs, routes, next hops and services as the maps have them', async () => {
    const { vrfs } = await callUnary(client, 'listVrfs', {});
    expect(vrfs).toEqual([{ id: 5, name: 'default-domain:k8s-default:net-5:net-5', vni: 1005, routes: 2, services: 1, flows: 0, maxFlows: 0 }]);
    const { routes } = await callUnary(client, 'listRoutes', { vrf: 5 });
    expect(routes.map((route) => `${formatAddress(route.address)}/${route.length}`)).toEqual(['10.32.0.1/32', '10.47.255.254/32']);
    const { nextHops } = await callUnary(client, 'listNextHops', {});
    expect(nextHops.map(({ kind }) => kind).sort()).toEqual(['encap', 'gateway']);
    const { services } = await callUnary(client, 'listServices', {});
    expect(services[0]).toMatchObject({ name: 'default/web:http', port: 80, protocol: 6 });
    expect(services[0]?.slots).toHaveLength(8);
  });

  it('streams flows by address and limit, and drops as they happen', async () => {
    const flow = (remote: string): Flow => ({
      zone: 100, vlan: 0, protocol: 6, localAddress: make.bytes('10.32.0.1'), localPort: 1, remoteAddress: make.bytes(remote), remotePort: 2,
      verdict: 'pass', rule: 3, generation: 1, action: 'local', translation: '', packetsOut: 1n, bytesOut: 2n, packetsIn: 3n, bytesIn: 4n, idleMs: 1.5, tcpState: 'established',
    });
    datapath.flowList = [flow('10.32.0.2'), flow('10.32.0.3'), flow('10.32.0.3')];
    const found: string[] = [];
    for await (const { flows } of openServerStream(client, 'listFlows', { address: make.bytes('10.32.0.3'), zone: 0, limit: 1 })) {
      found.push(...flows.map(({ remoteAddress, ruleId }) => `${formatAddress(remoteAddress)} ${ruleId}`));
    }
    expect(found).toEqual(['10.32.0.3 3']);
    const emit = setInterval(() => {
      datapath.emitDrop({
        timeMs: 5, reason: 2, reasonName: 'no route', vrf: 5, ifindex: 100, protocol: 17, source: make.bytes('10.32.0.1'),
        destination: make.bytes('198.51.100.1'), sourcePort: 1, destinationPort: 2, rule: 0,
      });
    }, 10);
    for await (const { events } of openServerStream(client, 'watchDrops', {})) {
      expect(events[0]).toMatchObject({ reasonName: 'no route', timeMs: 5n });
      break;
    }
    clearInterval(emit);
  });

  it('counts what it does', async () => {
    datapath.dropList = [{ reason: 2, reasonName: 'no route', vrf: 5, packets: 7n, bytes: 700n }];
    const { text } = await get('/metrics');
    expect(text).toContain('contrail_vrouter_agent_interfaces 1');
    expect(text).toContain('contrail_vrouter_agent_dropped_packets{reason="no route",vrf="5"} 7');
    expect(text).toContain('contrail_vrouter_agent_table_entries{table="vifs"} 2');
    expect(text).toMatch(/contrail_vrouter_agent_cni_seconds_count\{command="ADD",code="0"\} 1/);
  });

  it('programs what control sends later, and acknowledges it', async () => {
    await control.send([make.routeEntry(make.podVrf, '10.32.0.7/32', make.fabricPath())]);
    await until(() => control.acks.some(({ revision }) => revision === 2n));
    expect((await callUnary(client, 'listRoutes', { vrf: 0 })).routes).toHaveLength(3);
  });
});

describe('start-up errors', () => {
  it('name every problem of the environment', () => {
    expect(() => loadConfig({ CONTROL_ADDRESS: 'nonsense', NODE_IP: 'x' })).toThrow(
      /NODE_NAME is not set.*NODE_IP is "x".*CONTROL_ADDRESS has "nonsense".*CONFIG_API_ADDRESS is not set/s,
    );
  });

  it('derive the bootstrap address from that of config-api', () => {
    const env = { NODE_NAME: 'n', CONTROL_ADDRESS: '192.0.2.1:9003', CONFIG_API_ADDRESS: '192.0.2.1:9001,192.0.2.2:9001' };
    expect(loadConfig(env).bootstrapAddress).toBe('192.0.2.1:9011');
  });
});
