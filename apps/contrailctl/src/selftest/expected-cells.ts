import { ContrailError } from '@contrail/errors';
import { tryParseAddress } from '@contrail/net';
import type { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import type { ReachEnd, ReachRequest, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import { callUnary } from '@contrail/rpc';
import type { DialTarget } from '../probe/dial-probe';
import type { Cell } from './compare-cells';
import { probePorts, serviceName } from './probe-pods';
import { podText } from './probe-world';
import type { ProbeWorld, RunningProber } from './probe-world';

/** What is dialled, by everybody. */
export interface CalledEnd {
  readonly name: string;
  readonly end: ReachEnd;
  readonly targets: readonly DialTarget[];
  /** Who answers, apart from the backends of a service. */
  readonly answerers: readonly string[];
}

/** Cells of one prober, in the order of the targets that it dials. */
export interface ProberCells {
  readonly prober: RunningProber;
  readonly cells: readonly Cell[];
}

const protocolNumbers = { tcp: 6, udp: 17, icmp: 1 };
const callsAtOnce = 16;
const httpsPort = 443;
const dnsPort = 53;

/** Every pod, service and node of the world, and what everybody must reach. */
export function calledEnds({ probers, clusterIps }: ProbeWorld, essential: { readonly api: string; readonly dns: string }): CalledEnd[] {
  const dialled = (address: string): DialTarget[] => (['tcp', 'udp'] as const).map((protocol) => ({ address, protocol, port: probePorts[protocol], isSilent: false }));
  // A cluster IP does not answer ICMP; who answers an echo does not say its name.
  const echo = (address: string): DialTarget => ({ address, protocol: 'icmp', port: 0, isSilent: true });
  const ends = probers.map((prober): CalledEnd => ({
    name: podText(prober),
    end: endOf(prober),
    targets: [...dialled(prober.address), echo(prober.address)],
    answerers: [nameOf(prober)],
  }));
  for (const [namespace, address] of clusterIps) {
    ends.push({ name: `service ${namespace}/${serviceName}`, end: { kind: { $case: 'service', value: { namespace, name: serviceName } } }, targets: dialled(address), answerers: [] });
  }
  for (const [name, address, port] of [['default/kubernetes', essential.api, httpsPort], ['cluster DNS', essential.dns, dnsPort]] as const) {
    const parsed = tryParseAddress(address);
    if (parsed === undefined) continue;
    ends.push({ name: `service ${name}`, end: { kind: { $case: 'address', value: Buffer.from(parsed) } }, targets: [{ address, protocol: 'tcp', port, isSilent: true }], answerers: [] });
  }
  return ends;
}

/** Asks control about every pair. */
export async function expectCells(client: ControlServiceClient, probers: readonly RunningProber[], ends: readonly CalledEnd[]): Promise<{ readonly rows: readonly ProberCells[]; readonly revision: bigint }> {
  const questions = probers.flatMap((prober) => ends.flatMap((called) => called.targets.map((target) => ({ prober, called, target }))));
  const cells: Cell[] = [];
  let revision = 0n;
  for (let i = 0; i < questions.length; i += callsAtOnce) {
    const asked = questions.slice(i, i + callsAtOnce).map(async ({ prober, called, target }) => {
      const response = await ask(client, { from: endOf(prober), to: called.end, protocol: protocolNumbers[target.protocol], port: target.port });
      if (response.revision > revision) revision = response.revision;
      return toCell(prober, called, target, response);
    });
    cells.push(...(await Promise.all(asked)));
  }
  const perProber = questions.length / Math.max(1, probers.length);
  return { revision, rows: probers.map((prober, i) => ({ prober, cells: cells.slice(i * perProber, (i + 1) * perProber) })) };
}

/** Waits for nothing: says which services do not have all their backends yet. */
export function missingBackends(rows: readonly ProberCells[], ends: readonly CalledEnd[], backendCount: number): string[] {
  const names = new Set(ends.filter(({ end }) => end.kind?.$case === 'service').map(({ name }) => name));
  return rows
    .flatMap(({ cells }) => cells)
    .filter(({ to, expected }) => names.has(to) && expected.reachable && expected.answerers.length < backendCount)
    .map(({ to, expected }) => `${to} has ${expected.answerers.length} of ${backendCount} backends`);
}

async function ask(client: ControlServiceClient, request: ReachRequest): Promise<ReachResponse> {
  return await callUnary(client, 'reach', request, { deadlineMs: 30_000 });
}

function toCell(prober: RunningProber, called: CalledEnd, target: DialTarget, { answers, reachable }: ReachResponse): Cell {
  const [answer] = answers;
  if (answer === undefined) throw new ContrailError('INTERNAL', `reach from ${podText(prober)} to ${called.name}: control gave no answer; run the release that the cluster has`);
  const backends = answer.backends.filter(({ used }) => used).map(({ name }) => name.replace(/^pod /, ''));
  const answerers = called.answerers.length > 0 ? called.answerers : backends;
  return { from: podText(prober), to: called.name, target, expected: { reachable, reason: answer.reason, answerers } };
}

/** A pod on the host network is its node. */
function endOf({ kind, node, namespace, name }: RunningProber): ReachEnd {
  return kind === 'host' ? { kind: { $case: 'node', value: node } } : { kind: { $case: 'pod', value: { namespace, name } } };
}

function nameOf({ namespace, name }: RunningProber): string {
  return `${namespace}/${name}`;
}
