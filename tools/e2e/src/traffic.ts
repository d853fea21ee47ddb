import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apply, eventually, kubectl, nodeAddresses, podIp, temporaryNamespace, waitReady } from './cluster';

/** One connection that failed or broke. */
export interface TrafficFailure {
  readonly at: string;
  readonly kind: 'new' | 'stream';
  readonly target: string;
  readonly error: string;
}

export interface TrafficCounts {
  readonly opened: number;
  readonly good: number;
  readonly failed: number;
  /** Good, but later than a lost first packet costs. */
  readonly slow: number;
  readonly streamBytes: number;
}

interface Line {
  readonly at: string;
  readonly kind: 'new' | 'stream' | 'summary' | 'lag';
  /** Of a lag: how long the process did not run until `at`. */
  readonly ms?: number;
  readonly counts?: Readonly<Record<string, TrafficCounts>>;
}

export interface Traffic {
  readonly namespace: string;
  /** New connections a second, to all targets together. */
  readonly perSecond: number;
  /** Node of the client and of the target "same-node"; the other one has "other-node". */
  readonly nodes: readonly [string, string];
  /**
   * Failures since the last call, and what was done meanwhile. Waits until connections begun so far have had their time.
   * `starved` are time-outs while an end of the connection got no CPU, by its own record: nobody can tell what the
   * network did then.
   */
  take(): Promise<{ failures: TrafficFailure[]; starved: TrafficFailure[]; counts: Record<string, TrafficCounts> }>;
  remove(): Promise<void>;
}

/** How long a connection may take before it has failed. */
const connectMs = 8000;
const stallMs = 12_000;
/** A pause of a process that excuses a time-out. */
const starvedMs = 1000;

/**
 * Starts three long streams and `perSecond` new connections a second from a pod: to a pod on its own node, to one
 * on another node, and to the cluster IP of both.
 */
export async function startTraffic(perSecond: number): Promise<Traffic> {
  const { name: namespace, remove } = await temporaryNamespace('traffic');
  const [image, nodes] = await Promise.all([nodeImage(), twoNodes()]);
  await apply([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'traffic-probe', namespace }, data: { 'traffic-probe.js': readFileSync(path.join(__dirname, 'traffic-probe.js'), 'utf8') } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'server', namespace }, spec: { selector: { app: 'server' }, ports: [{ port: 7100 }] } },
    probePod('same-node', { namespace, image, node: nodes[0], args: ['serve'] }),
    probePod('other-node', { namespace, image, node: nodes[1], args: ['serve'] }),
  ]);
  await waitReady(namespace, ['same-node', 'other-node'], 120);
  const clusterIp = (await kubectl(['-n', namespace, 'get', 'service', 'server', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
  const targets = [
    { name: 'same-node', address: await podIp(namespace, 'same-node') },
    { name: 'other-node', address: await podIp(namespace, 'other-node') },
    { name: 'cluster-ip', address: clusterIp },
  ];
  const request = JSON.stringify({ targets, perSecond: perSecond / targets.length, stallMs, connectMs });
  await apply([probePod('client', { namespace, image, node: nodes[0], args: ['probe', request] })]);
  await waitReady(namespace, ['client'], 120);
  const traffic = { namespace, perSecond, nodes, take: taker(namespace), remove };
  await eventually('streams to every target', async () => {
    const { counts } = await traffic.take();
    return targets.every(({ name }) => (counts[name]?.streamBytes ?? 0) > 0 && (counts[name]?.good ?? 0) > 0) ? true : undefined;
  });
  return traffic;
}

/** Reads the log of the client, each line once. */
function taker(namespace: string): Traffic['take'] {
  let seen = 0;
  let before: Record<string, TrafficCounts> = {};
  return async () => {
    await sleep(connectMs + 1500);
    const lines = await readLog(namespace, 'client');
    const lags = [lines, await readLog(namespace, 'same-node'), await readLog(namespace, 'other-node')].flat().filter(({ kind }) => kind === 'lag');
    const fresh = lines.slice(seen);
    seen = lines.length;
    const all = fresh.filter((line): line is Line & TrafficFailure => line.kind === 'new' || line.kind === 'stream');
    const failures = all.filter((failure) => !isStarved(failure, lags));
    const last = fresh.filter(({ kind }) => kind === 'summary').at(-1)?.counts ?? before;
    const counts = Object.fromEntries(Object.entries(last).map(([name, now]) => [name, difference(now, before[name])]));
    before = { ...last };
    return { failures, starved: all.filter((failure) => !failures.includes(failure)), counts };
  };
}

function readLog(namespace: string, pod: string): Promise<Line[]> {
  return eventually(`log of ${pod}`, async () => {
    const text = await kubectl(['-n', namespace, 'logs', pod]);
    return text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
  });
}

/** Only silence can be excused: who is refused or cut off was answered. */
function isStarved({ at, error, kind }: TrafficFailure, lags: readonly Line[]): boolean {
  if (!error.includes(' within ') && !error.includes('nothing came back')) return false;
  const end = Date.parse(at);
  const begin = end - (kind === 'new' ? connectMs : stallMs);
  return lags.some((lag) => {
    const lagEnd = Date.parse(lag.at);
    return Math.min(end, lagEnd) - Math.max(begin, lagEnd - (lag.ms ?? 0)) >= starvedMs;
  });
}

function difference(now: TrafficCounts, before: TrafficCounts | undefined): TrafficCounts {
  if (!before) return now;
  return {
    opened: now.opened - before.opened,
    good: now.good - before.good,
    failed: now.failed - before.failed,
    slow: now.slow - before.slow,
    streamBytes: now.streamBytes - before.streamBytes,
  };
}

/** The image of one of our services: it has Node. */
async function nodeImage(): Promise<string> {
  return (await kubectl(['-n', 'contrail', 'get', 'deployment', 'control', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim();
}

/** Workers before the control plane. */
async function twoNodes(): Promise<[string, string]> {
  const names = [...(await nodeAddresses()).keys()].sort((a, b) => Number(a === 'control-plane') - Number(b === 'control-plane') || (a < b ? -1 : 1));
  const [first, second] = names;
  if (first === undefined || second === undefined) throw new Error(`two nodes are needed, not ${names.length}`);
  return [first, second];
}

function probePod(name: string, { namespace, image, node, args }: { namespace: string; image: string; node: string; args: string[] }): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: args[0] === 'serve' ? 'server' : 'client' } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      volumes: [{ name: 'probe', configMap: { name: 'traffic-probe' } }],
      containers: [
        {
          name: 'probe',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/probe/traffic-probe.js', ...args],
          // What we measure is the network, so others on the node do not push the probe aside.
          resources: { requests: { cpu: '400m' } },
          volumeMounts: [{ name: 'probe', mountPath: '/probe' }],
          ...(args[0] === 'serve' ? { readinessProbe: { tcpSocket: { port: 7100 }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 30 } } : {}),
        },
      ],
    },
  };
}
