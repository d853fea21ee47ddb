import { readFileSync } from 'node:fs';
import path from 'node:path';
import { apply, kubectl, kubectlJson, nodeAddresses, podExec, temporaryNamespace } from '../cluster';
import type { KubeObject } from '../cluster';
import type { Callee, Caller } from './expected-reach';

/** A pod that probes and is probed. */
export interface Prober {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly caller: Caller;
}

export interface Target {
  readonly name: string;
  readonly address: string;
  readonly callee: Callee;
  /** Names of the probers that may answer there. */
  readonly answerers: readonly string[];
}

export interface ProbeAnswer {
  readonly name: string;
  /** Name of who answered; "!" and the reason when nobody did. */
  readonly tcp: string;
  readonly udp: string;
}

/** What a prober's steady traffic met, by target. Times are those of the machine, in ms. */
export interface Beaten {
  readonly now: number;
  readonly held: Readonly<Record<string, { readonly opened: number; readonly lastEcho: number; readonly ended: string }>>;
  readonly dialled: Readonly<Record<string, { readonly good: number; readonly failures: readonly { readonly began: number; readonly error: string }[] }>>;
}

export interface BeatTarget {
  readonly name: string;
  readonly address: string;
  readonly hold: boolean;
  readonly dial: boolean;
}

/**
 * Namespaces with a prober on each of two nodes and a service over both, and a host-network prober on each
 * node.
 */
export class MatrixWorld {
  private constructor(
    readonly namespaces: readonly string[],
    readonly probers: readonly Prober[],
    readonly targets: readonly Target[],
    readonly remove: () => Promise<void>,
  ) {}

  /** @param names prefixes of the namespaces; all begin without isolation. */
  static async make(names: readonly string[]): Promise<MatrixWorld> {
    const [image, nodes] = await Promise.all([nodeImage(), twoNodes()]);
    const created = await Promise.all([...names, 'host'].map((name) => temporaryNamespace(name)));
    const remove = async (): Promise<void> => void (await Promise.all(created.map((namespace) => namespace.remove())));
    const namespaces = created.slice(0, -1).map(({ name }) => name);
    const hostNamespace = created.at(-1)?.name ?? '';
    const probers = [
      ...namespaces.flatMap((namespace) => nodes.map((node): Prober => ({ name: `${namespace}.${node}`, namespace, node, caller: { kind: 'pod', namespace } }))),
      ...nodes.map((node): Prober => ({ name: `host.${node}`, namespace: hostNamespace, node, caller: { kind: 'node' } })),
    ];
    await apply([
      ...[...namespaces, hostNamespace].map(probeSource),
      ...namespaces.map(service),
      ...probers.map((prober) => proberPod(prober, image)),
    ]);
    for (const namespace of [...namespaces, hostNamespace]) {
      await kubectl(['-n', namespace, 'wait', '--for=condition=Ready', '--timeout=120s', 'pods', '--all']);
    }
    return new MatrixWorld(namespaces, probers, await targetsOf(namespaces, probers), remove);
  }

  probe(prober: Prober, targets: readonly Target[]): Promise<ProbeAnswer[]> {
    return ask(prober, 'probe', { targets });
  }

  /** From now on the prober sends to these, and to no others, without pause. */
  async beat(prober: Prober, targets: readonly BeatTarget[]): Promise<void> {
    await ask(prober, 'beat', { targets });
  }

  beaten(prober: Prober): Promise<Beaten> {
    return ask(prober, 'beaten', {});
  }

  /** When datagrams of {@link beat} arrived here, by "prober target". */
  received(prober: Prober, since: number): Promise<Record<string, number[]>> {
    return ask(prober, 'received', { since });
  }
}

async function ask<T>(prober: Prober, command: string, body: unknown): Promise<T> {
  const run = await podExec(prober.namespace, podName(prober), ['node', '/probe/matrix-probe.js', 'ask', command, JSON.stringify(body)]);
  if (run.status !== 0) throw new Error(`${prober.name} ${command}: ${run.stderr}`);
  return JSON.parse(run.stdout) as T;
}

const podName = ({ node }: Prober): string => `probe-${node}`;

async function targetsOf(namespaces: readonly string[], probers: readonly Prober[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const namespace of namespaces) {
    const own = probers.filter((prober) => prober.namespace === namespace);
    const { items } = await kubectlJson<{ items: KubeObject[] }>(['-n', namespace, 'get', 'pods']);
    for (const prober of own) {
      const pod = items.find(({ metadata }) => metadata.name === podName(prober));
      targets.push({ name: prober.name, address: String(pod?.status?.['podIP'] ?? ''), callee: { kind: 'pod', namespace }, answerers: [prober.name] });
    }
    const address = (await kubectl(['-n', namespace, 'get', 'service', 'probe', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    targets.push({ name: `service.${namespace}`, address, callee: { kind: 'service', namespace }, answerers: own.map(({ name }) => name) });
  }
  const addresses = await nodeAddresses();
  for (const prober of probers.filter(({ caller }) => caller.kind === 'node')) {
    targets.push({ name: prober.name, address: addresses.get(prober.node) ?? '', callee: { kind: 'node' }, answerers: [prober.name] });
  }
  return targets;
}

async function nodeImage(): Promise<string> {
  return (await kubectl(['-n', 'contrail', 'get', 'deployment', 'control', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim();
}

/** Workers before the control plane. */
async function twoNodes(): Promise<string[]> {
  const names = [...(await nodeAddresses()).keys()].sort((a, b) => Number(a === 'control-plane') - Number(b === 'control-plane') || (a < b ? -1 : 1));
  if (names.length < 2) throw new Error(`two nodes are needed, not ${names.length}`);
  return names.slice(0, 2);
}

function probeSource(namespace: string): unknown {
  const script = readFileSync(path.join(__dirname, 'matrix-probe.js'), 'utf8');
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'matrix-probe', namespace }, data: { 'matrix-probe.js': script } };
}

function service(namespace: string): unknown {
  const ports = [{ name: 'tcp', port: 7100, protocol: 'TCP' }, { name: 'udp', port: 7101, protocol: 'UDP' }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'probe', namespace }, spec: { selector: { app: 'probe' }, ports } };
}

function proberPod(prober: Prober, image: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName(prober), namespace: prober.namespace, labels: { app: 'probe' } },
    spec: {
      nodeName: prober.node,
      hostNetwork: prober.caller.kind === 'node',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      volumes: [{ name: 'probe', configMap: { name: 'matrix-probe' } }],
      containers: [
        {
          name: 'probe',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/probe/matrix-probe.js', 'serve', prober.name],
          volumeMounts: [{ name: 'probe', mountPath: '/probe' }],
          readinessProbe: { tcpSocket: { port: 7100 }, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 30 },
        },
      ],
    },
  };
}
