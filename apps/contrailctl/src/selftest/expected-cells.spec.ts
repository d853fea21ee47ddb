import { ControlServiceClient, ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import { ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import type { ReachRequest } from '@contrail/proto-gen/control/v1/reach';
import { closeClient, createClient, defineService, startServer, unary } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { calledEnds, expectCells, missingBackends } from './expected-cells';
import type { NamespaceKind } from './probe-pods';
import type { ProbeWorld, RunningProber } from './probe-world';

const prober = (kind: NamespaceKind, n: number): RunningProber => ({ kind, namespace: kind, name: `probe-${n}`, node: `node${n}`, address: `10.32.0.${n}` });
const world: ProbeWorld = { image: 'agent', nodes: ['node1', 'node2'], probers: [prober('open', 1), prober('host', 2)], clusterIps: new Map([['open', '10.96.0.7']]), notTried: [] };
const ends = calledEnds(world, { api: '10.96.0.1', dns: '' });

let control: RunningServer;
let client: ControlServiceClient;
const asked: ReachRequest[] = [];

beforeAll(async () => {
  const answer = (request: ReachRequest): ReachResponse => {
    asked.push(request);
    const isService = request.to?.kind?.$case === 'service';
    const backends = isService ? [{ name: 'pod open/probe-1', used: true }, { name: 'pod open/probe-2', used: false }] : [];
    return ReachResponse.fromPartial({ reachable: request.protocol === 6, revision: BigInt(asked.length), answers: [{ reason: 'because', backends }] });
  };
  const service = defineService({ reach: ControlServiceService.reach }, { reach: { allow: 'any', handle: unary(async (request: ReachRequest) => answer(request)) } });
  control = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service] });
  client = createClient(ControlServiceClient, { address: `127.0.0.1:${control.port}`, service: 'control', tls: 'insecure' });
});

afterAll(async () => {
  closeClient(client);
  await control.stop(50);
});

it('every pod, service and node is called over TCP and UDP, pods and nodes by ICMP, and what everybody needs over TCP', () => {
  expect(ends.map(({ name, targets }) => [name, targets.map(({ address, protocol, port }) => (port === 0 ? `${protocol} ${address}` : `${protocol} ${address}:${port}`))])).toEqual([
    ['pod open/probe-1 on node node1', ['tcp 10.32.0.1:27100', 'udp 10.32.0.1:27101', 'icmp 10.32.0.1']],
    ['pod host/probe-2 on node node2', ['tcp 10.32.0.2:27100', 'udp 10.32.0.2:27101', 'icmp 10.32.0.2']],
    ['service open/probe', ['tcp 10.96.0.7:27100', 'udp 10.96.0.7:27101']],
    ['service default/kubernetes', ['tcp 10.96.0.1:443']],
  ]);
});

it('control is asked about every pair; a pod on the host network is its node, and backends in use answer for a service', async () => {
  const { rows, revision } = await expectCells(client, world.probers, ends);
  expect(rows.map(({ cells }) => cells.length)).toEqual([9, 9]);
  expect(revision).toBe(18n);
  expect(asked[9]?.from?.kind).toEqual({ $case: 'node', value: 'node2' });
  expect(asked.slice(0, 3).map(({ protocol, port }) => [protocol, port])).toEqual([[6, 27_100], [17, 27_101], [1, 0]]);
  expect(rows[0]?.cells.map(({ expected }) => [expected.reachable, expected.answerers])).toEqual([
    [true, ['open/probe-1']], [false, ['open/probe-1']], [false, ['open/probe-1']],
    [true, ['host/probe-2']], [false, ['host/probe-2']], [false, ['host/probe-2']],
    [true, ['open/probe-1']], [false, ['open/probe-1']], [true, []],
  ]);
  expect(missingBackends(rows, ends, 2)).toEqual(['service open/probe has 1 of 2 backends', 'service open/probe has 1 of 2 backends']);
  expect(missingBackends(rows, ends, 1)).toEqual([]);
});
