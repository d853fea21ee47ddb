import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentServiceService } from '@contrail/proto-gen/agent/v1/agent_service';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import {
  DropCounter,
  DropEvent,
  FlowState,
  NextHopState,
  RouteState,
  ServiceState,
  StatusResponse,
  Vif,
  VrfState,
  VerifyResponse,
} from '@contrail/proto-gen/agent/v1/messages';
import type { ListFlowsRequest, ListFlowsResponse, ListRoutesRequest, VerifyRequest, WatchDropsRequest, WatchDropsResponse } from '@contrail/proto-gen/agent/v1/messages';
import { GetProgressResponse } from '@contrail/proto-gen/config/v1/messages';
import type { GetRequest, ListRequest } from '@contrail/proto-gen/config/v1/messages';
import { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ContrailError } from '@contrail/errors';
import { parseAddress } from '@contrail/net';
import { defineService, serverStream, startServer, staticTls, unary } from '@contrail/rpc';
import type { RunningServer, ServiceSpec } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import { loadConfig } from './config';
import { runProgram } from './create-program';
import { withPort } from './session';

const folder = mkdtempSync(path.join(tmpdir(), 'contrailctl-'));
const at = (name: string): string => path.join(folder, name);
const ip = (text: string): Buffer => Buffer.from(parseAddress(text));
const pki = testPki();
const uuid = '00000000-0000-4000-8000-000000000001';
const servers: RunningServer[] = [];
let configApi = '';
let node = '';

const hops = [
  NextHopState.fromPartial({ id: 1, kind: 'encap', ifindex: 100, vrf: 5 }),
  NextHopState.fromPartial({ id: 2, kind: 'tunnel', remote: ip('192.0.2.2'), vrf: 5 }),
  NextHopState.fromPartial({ id: 3, kind: 'composite', members: [1, 2, 1, 2] }),
];
const flow = FlowState.fromPartial({
  zone: 100, protocol: 6, localAddress: ip('10.32.0.1'), localPort: 40000, remoteAddress: ip('2001:db8::1'), remotePort: 80,
  verdict: 'pass', action: 'tunnel 192.0.2.2 label 7', packetsOut: 3n, bytesOut: 300n, idleMs: 1500n, tcpState: 'established',
});
const drop = DropEvent.fromPartial({
  timeMs: 0n, reasonName: 'spoofed source', vrf: 5, ifindex: 100, protocol: 17, source: ip('198.51.100.1'), sourcePort: 1,
  destination: ip('10.32.0.2'), destinationPort: 53, ruleId: 4,
});

function agentService(allow: readonly string[] | 'any'): ServiceSpec {
  return defineService(AgentServiceService, {
    status: {
      allow,
      handle: unary(async () =>
        StatusResponse.fromPartial({ node: 'node1', inSync: true, revisionReceived: 9n, revisionProgrammed: 8n, problems: ['label/71: the table is full'] }),
      ),
    },
    listInterfaces: {
      allow,
      handle: unary(async () => ({
        vifs: [Vif.fromPartial({ kind: 'pod', device: 'tap1', ifindex: 100, podNamespace: 'default', podName: 'web', containerInterface: 'eth0', mac: Buffer.from([2, 0, 0, 0, 0, 1]), addresses: [ip('10.32.0.1')], vrf: 5, flows: 12, maxFlows: 65536, status: 'Error', statusText: 'no room' })],
      })),
    },
    listVrfs: { allow, handle: unary(async () => ({ vrfs: [VrfState.fromPartial({ id: 5, name: 'pods', vni: 1005, routes: 2, flows: 7 })] })) },
    listRoutes: {
      allow,
      handle: unary(async ({ vrf }: ListRoutesRequest) => ({
        routes: [5, 6].filter((id) => vrf === 0 || vrf === id).map((id) => RouteState.fromPartial({ vrf: id, address: ip('10.32.0.0'), length: 12, nextHop: 3 })),
      })),
    },
    listNextHops: { allow, handle: unary(async () => ({ nextHops: hops })) },
    listServices: {
      allow,
      handle: unary(async () => {
        const key = { vrf: 5, protocol: 6, port: 80 };
        const slot = (n: number, last: number) => ({ slot: n, address: ip(`10.32.0.${last}`), port: 8080, vrf: 5 });
        return {
          services: [
            ServiceState.fromPartial({ ...key, name: 'default/web:http', address: ip('10.96.0.1'), slots: [slot(0, 1), slot(1, 2), slot(2, 1)] }),
            ServiceState.fromPartial({ ...key, name: 'default/none:http', address: ip('10.96.0.2') }),
          ],
        };
      }),
    },
    listFlows: {
      allow,
      handle: serverStream<ListFlowsRequest, ListFlowsResponse>(async (request, stream) => {
        await stream.write({ flows: request.address.length === 0 || request.address.equals(flow.localAddress) ? [flow] : [] });
      }),
    },
    verify: {
      allow,
      handle: unary(async ({ repair }: VerifyRequest) => {
        const drift = { kind: 'map', object: 'nodes address=203.0.113.66', expected: 'absent', found: 'self=false', remedy: 'the agent', mended: repair };
        return VerifyResponse.fromPartial({ node: 'node1', drifts: [drift], checked: [{ kind: 'map', count: 7 }] });
      }),
    },
    listDrops: { allow, handle: unary(async () => ({ drops: [DropCounter.fromPartial({ reasonName: 'no route', vrf: 5, packets: 7n, bytes: 700n })] })) },
    watchDrops: {
      allow,
      handle: serverStream<WatchDropsRequest, WatchDropsResponse>(async (_request, stream) => stream.write({ events: [drop] })),
    },
  });
}

const network = (n: number): Resource =>
  Resource.fromPartial({ kind: { $case: 'virtualNetwork', value: { meta: { uuid: `00000000-0000-4000-8000-00000000000${n}`, fqName: ['default-domain', 'p', `net${n}`], revision: BigInt(n) } } } });

function configService(): ServiceSpec {
  const refuse = { allow: [] as string[], handle: unary<never, never>(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) };
  const allow = ['contrailctl'];
  return defineService(ConfigServiceService, {
    create: refuse, update: refuse, delete: refuse, transact: refuse, allot: refuse, reportProgress: refuse, reportConflicts: refuse,
    watch: { allow: [], handle: serverStream<never, never>(async () => undefined) },
    list: {
      allow,
      handle: unary(async ({ pageToken }: ListRequest) => (pageToken === '' ? { resources: [network(1)], nextPageToken: 'two' } : { resources: [network(2)], nextPageToken: '' })),
    },
    get: {
      allow,
      handle: unary(async ({ key }: GetRequest) => {
        if (key?.uuid === uuid || key?.fqName.join('/') === 'default-domain/p/net1') return { resource: network(1) };
        throw new ContrailError('NOT_FOUND', `VirtualNetwork/${key?.fqName.join(':')}: does not exist`);
      }),
    },
    getProgress: {
      allow,
      handle: unary(async () =>
        GetProgressResponse.fromPartial({
          revision: 12n,
          nodes: [{ node: 'node2', revision: 10n, reportedAtMs: BigInt(Date.now()), exceptions: [{ type: 'loadbalancer', uuid: 'u', reason: 'full' }] }, { node: 'node1', revision: 12n, reportedAtMs: BigInt(Date.now()) }],
        }),
      ),
    },
  });
}

beforeAll(async () => {
  const own = pki.issue('contrailctl');
  writeFileSync(at('ca.crt'), own.ca);
  writeFileSync(at('tls.crt'), own.cert);
  writeFileSync(at('tls.key'), own.key);
  servers.push(await startServer({ address: `unix:${at('agent.sock')}`, tls: 'insecure', services: [agentService('any')] }));
  const start = async (service: string, spec: ServiceSpec): Promise<string> => {
    const server = await startServer({ address: '127.0.0.1:0', tls: staticTls(pki.issue(service)), services: [spec] });
    servers.push(server);
    return `127.0.0.1:${server.port}`;
  };
  node = await start('vrouter-agent', agentService(['contrailctl']));
  configApi = await start('config-api', configService());
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop(50)));
  rmSync(folder, { recursive: true });
});

let exitStatus = 0;

async function run(...args: string[]): Promise<string> {
  let output = '';
  exitStatus = 0;
  const config = loadConfig({
    AGENT_SOCKET: at('agent.sock'), CONFIG_API_ADDRESS: configApi, TLS_CERT_FILE: at('tls.crt'), TLS_KEY_FILE: at('tls.key'), TLS_CA_FILE: at('ca.crt'),
  });
  const ports = {
    ...{ config, signal: new AbortController().signal },
    write: (text: string): void => void (output += text),
    exit: (status: number): void => void (exitStatus = status),
  };
  await runProgram(ports, args);
  return output;
}

/** Columns by single blanks. */
async function lines(...args: string[]): Promise<string[]> {
  return (await run(...args)).trimEnd().split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '));
}

describe('contrailctl', () => {
  it('status shows revision and problems', async () => {
    expect(await lines('status')).toEqual(expect.arrayContaining(['Node:  node1', 'Control:  not connected', 'Revision:  8 programmed, 9 received', 'Problem: label/71: the table is full']));
  });

  it('vif shows pod, addresses, flows of its quota, and why there is an error', async () => {
    expect((await lines('vif'))[1]).toBe('100  pod  tap1  default/web:eth0  10.32.0.1  02:00:00:00:00:01  5  0  0  12/65536  Error: no room');
  });

  it('vrf counts routes, services and flows', async () => {
    expect(await lines('vrf')).toEqual(['VRF  NAME  VNI  ROUTES  SERVICES  FLOWS', '5  pods  1005  2  0  7']);
  });

  it('route resolves next hops, of ECMP with shares, and takes one VRF', async () => {
    const path = 'composite [2/4 encap vif 100 vrf 5, 2/4 tunnel 192.0.2.2 vrf 5]';
    expect(await lines('route')).toEqual(['VRF  PREFIX  NEXT HOP  PATH', `5  10.32.0.0/12  3  ${path}`, `6  10.32.0.0/12  3  ${path}`]);
    expect(await lines('route', '--vrf', '6')).toHaveLength(2);
  });

  it('nh lists next hops', async () => {
    expect((await lines('nh'))[2]).toBe('2  tunnel  tunnel 192.0.2.2 vrf 5');
  });

  it('service shows members with their slots, and says when calls are refused', async () => {
    expect((await lines('service')).slice(1)).toEqual([
      '5  default/web:http  10.96.0.1:80  tcp  -  10.32.0.1:8080 (2), 10.32.0.2:8080 (1)',
      '5  default/none:http  10.96.0.2:80  tcp  -  none: refused',
    ]);
  });

  it('flow filters by address', async () => {
    expect((await lines('flow', '--address', '10.32.0.1'))[1]).toBe(
      '100  tcp  10.32.0.1:40000  [2001:db8::1]:80  pass  0  tunnel 192.0.2.2 label 7  -  3/300  0/0  1.5s  established',
    );
    expect(await lines('flow', '--address', '10.32.0.9')).toHaveLength(1);
    await expect(run('flow', '--address', 'x')).rejects.toThrow('"x" is not an IP address');
  });

  it('drop counts, and watches', async () => {
    expect((await lines('drop'))[1]).toBe('no route  5  7  700');
    expect(await lines('drop', '--watch')).toEqual([
      '1970-01-01T00:00:00.000Z spoofed source: udp 198.51.100.1:1 > 10.32.0.2:53 vif 100 vrf 5 rule 4',
    ]);
  });

  it('prints JSON with addresses as text', async () => {
    expect(JSON.parse(await run('-o', 'json', 'nh'))).toMatchObject([{ id: 1 }, { id: 2, remote: '192.0.2.2' }, { members: [1, 2, 1, 2] }]);
    expect(JSON.parse(await run('-o', 'json', 'flow'))).toMatchObject([{ localAddress: '10.32.0.1', bytesOut: '300' }]);
  });

  it('asks the agent of another node with TLS', async () => {
    expect((await lines('--node', node, 'status'))[0]).toBe('Node:  node1');
  });

  it('prints YAML', async () => {
    expect(await run('-o', 'yaml', 'vrf')).toContain('- id: 5\n  name: pods\n');
  });

  it('progress shows how far each node is behind', async () => {
    expect(await lines('progress')).toEqual([
      'NODE  REVISION  BEHIND  REPORTED  EXCEPTIONS',
      'node1  12  0  0s ago  0',
      'node2  10  2  0s ago  1',
      'node2: loadbalancer u: full',
    ]);
  });

  it('verify names each drift of a node, and says by its exit status whether one is left', async () => {
    expect(await lines('verify', '--local')).toEqual([
      'NODE  KIND  OBJECT  EXPECTED  FOUND  STATE  REMEDY',
      'node1  map  nodes address=203.0.113.66  absent  self=false  drift  the agent',
      '1 differences, 0 mended; looked at 7 map',
    ]);
    expect(exitStatus).toBe(1);
    expect(JSON.parse(await run('--node', node, '-o', 'json', 'verify', '--repair'))).toMatchObject({ drifts: [{ node: 'node1', mended: true }], checked: { map: 7 }, notChecked: [] });
    expect(exitStatus).toBe(0);
  });

  it('verify says what it could not look at, with exit status 2', async () => {
    expect(await lines('--socket', at('none.sock'), 'verify', '--local')).toEqual([expect.stringMatching(/^Not checked: node of this socket: .*none\.sock/), '0 differences, 0 mended; looked at nothing']);
    expect(exitStatus).toBe(2);
    // config-api answers, but nothing leads to Kubernetes.
    expect((await run('verify')).split('\n')[0]).toBe('Not checked: objects: Kubernetes is not known; give --kubeconfig or set KUBECONFIG (verify: or --local for one node without objects)');
    expect(exitStatus).toBe(2);
  });

  it('names the socket when there is no agent', async () => {
    await expect(run('--socket', at('none.sock'), 'status')).rejects.toThrow(/status: .*none\.sock/);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1:9006'],
    ['192.0.2.1:1', '192.0.2.1:1'],
    ['2001:db8::1', '[2001:db8::1]:9006'],
    ['[2001:db8::1]', '[2001:db8::1]:9006'],
    ['[2001:db8::1]:7', '[2001:db8::1]:7'],
  ])('reads the node address %s as %s', (text, expected) => {
    expect(withPort(text, 9006)).toBe(expected);
  });
});
