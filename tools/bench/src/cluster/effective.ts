/** How long until a change of a Service or pod is felt by a client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadPorts } from '../load';
import type { Cluster, Pod } from './cluster';
import { benchNamespace } from './cluster';

const servicesPath = `/api/v1/namespaces/${benchNamespace}/services`;
const [, echoPort = 0] = loadPorts;
const patienceS = 20;

export interface EffectTimes {
  readonly created: number[];
  readonly deleted: number[];
  /** A pod that gets the label of a Service. */
  readonly labelled: number[];
}

export function serviceObject(name: string, clusterIp: string, selector: Readonly<Record<string, string>>): unknown {
  const ports = [
    ...loadPorts.map((port) => ({ name: `tcp-${port}`, port, protocol: 'TCP' })),
    { name: 'udp', port: echoPort, protocol: 'UDP' },
  ];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { clusterIP: clusterIp, selector, ports } };
}

/** @returns CLOCK_MONOTONIC in milliseconds, as load/reach.c prints it. */
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Starts to watch an address, changes something, and @returns milliseconds from the API server's answer to the effect. */
async function timeToEffect(
  watch: { program: string; client: Pod; what: 'begin' | 'end'; address: string },
  change: () => Promise<unknown>,
): Promise<number> {
  const args = [`--net=${watch.client.netns}`, watch.program, watch.what, watch.address, String(echoPort), String(patienceS)];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await sleep(100);
  await change();
  const changed = monotonicMs();
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  if (status !== 0) throw new Error(`${watch.address}: no effect within ${patienceS} s`);
  return Math.max(0, Number(output) - changed);
}

/** @throws Error when the address does not answer within a minute. */
export async function untilReachable(reach: string, client: string, address: string): Promise<void> {
  const child = spawn('nsenter', [`--net=${client}`, reach, 'begin', address, String(echoPort), '60'], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${address}: does not answer`);
}

/** @param server a ready pod with the label `bench: server`, which answers on the ports of the load. */
export async function measureEffects(
  cluster: Cluster,
  reach: string,
  pods: { client: Pod; server: Pod },
  options: { count: number; signal: AbortSignal },
): Promise<EffectTimes> {
  const times: EffectTimes = { created: [], deleted: [], labelled: [] };
  const { api } = cluster;
  const { client, server } = pods;
  for (let n = 0; n < options.count; n += 1) {
    options.signal.throwIfAborted();
    const address = `10.96.200.${n + 1}`;
    const name = `effect-${n}`;
    const watch = { program: reach, client, address };
    const create = (selector: Record<string, string>): Promise<unknown> =>
      api.call('POST', servicesPath, serviceObject(name, address, selector));
    const remove = (): Promise<unknown> => api.call('DELETE', `${servicesPath}/${name}`);
    times.created.push(await timeToEffect({ ...watch, what: 'begin' }, () => create({ bench: 'server' })));
    times.deleted.push(await timeToEffect({ ...watch, what: 'end' }, remove));
    const label = { [`effect-${n}`]: 'on' };
    await create(label);
    const setLabel = (labels: object): Promise<unknown> =>
      api.call('PATCH', `/api/v1/namespaces/${benchNamespace}/pods/${server.name}`, { metadata: { labels } });
    times.labelled.push(await timeToEffect({ ...watch, what: 'begin' }, () => setLabel(label)));
    await remove();
    await setLabel({ [`effect-${n}`]: null });
  }
  return times;
}
