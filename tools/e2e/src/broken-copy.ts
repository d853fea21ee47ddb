import { kubectl, kubectlJson } from './cluster';

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string }[];
  readonly [field: string]: unknown;
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly [field: string]: unknown;
}

export interface Flaw {
  /** Variables that differ from those of the workload. */
  readonly env?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly container?: Readonly<Record<string, unknown>>;
}

/** Ports of the copy, so that it takes none from the workload on the same host network. */
const ownPorts = { LISTEN_ADDRESS: '127.0.0.1:0', BOOTSTRAP_LISTEN_ADDRESS: '127.0.0.1:0', ADMIN_ADDRESS: '127.0.0.1:0' };

/**
 * A pod like those of one of our workloads, but with a flaw, beside them: no controller adopts it, it is
 * never ready, and what it says about the flaw is in its log.
 *
 * @param workload `deployment/ipam`.
 */
export async function brokenCopy(workload: string, flaw: Flaw): Promise<{ log(): Promise<string>; remove(): Promise<void> }> {
  const { spec } = await kubectlJson<{ spec: { template: { spec: PodSpec } } }>(['-n', 'contrail', 'get', workload]);
  const podSpec = spec.template.spec;
  const name = `broken-${workload.replace(/.*\//, '')}-${Math.random().toString(36).slice(2, 8)}`;
  const values = { ...ownPorts, ...flaw.env };
  const containers = podSpec.containers.map((container) => ({
    ...container,
    env: [
      ...(container.env ?? []).filter((entry) => !(entry.name in values)),
      ...Object.entries(values).map(([variable, value]) => ({ name: variable, value })),
    ],
    ...{ ports: [], startupProbe: undefined, livenessProbe: undefined, readinessProbe: undefined },
    ...flaw.container,
  }));
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'contrail', labels: { 'e2e.example.com/broken': 'true' } },
    spec: { ...podSpec, restartPolicy: 'Never', terminationGracePeriodSeconds: 1, ...flaw.spec, containers },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(pod));
  return {
    log: () => kubectl(['-n', 'contrail', 'logs', name]),
    remove: async () => void (await kubectl(['-n', 'contrail', 'delete', 'pod', name, '--wait=false'])),
  };
}
