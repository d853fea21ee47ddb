import { kubectl } from './control-plane';
import { SandboxFailure } from './failure';
import {
  isAvailable,
  isReady,
  listNodes,
  listPods,
  listWorkloads,
  type KubePod,
} from './kubernetes-client';
import { say, waitUntil } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';

const logLines = '15';
const pollMs = 250;
/** Nothing can be pulled in a sandbox: an image that is missing for so long stays missing. */
const missingImageMs = 20_000;

/** Waits until every planned node has registered, ready or not. */
export async function waitForNodes(sandbox: Sandbox, timeoutMs: number): Promise<void> {
  const wanted = sandbox.plan.nodes.map((node) => node.name);
  let missing = wanted;
  const probe = async (): Promise<boolean> => {
    const registered = new Set((await listNodes(sandbox)).map((node) => node.metadata.name));
    missing = wanted.filter((name) => !registered.has(name));
    return missing.length === 0;
  };
  if (await waitUntil(probe, timeoutMs, pollMs)) return;
  throw new SandboxFailure(
    `${missing.join(', ')}: did not register; see "sandbox logs ${missing[0] ?? ''}/kubelet"`,
  );
}

/**
 * Waits until all nodes are Ready and all Deployments and DaemonSets available, and says what is
 * still missing whenever that changes.
 *
 * @throws SandboxFailure that tells for each pod that is not ready its reason, its events and the
 *   end of its logs.
 */
export async function waitForWorkloads(
  sandbox: Sandbox,
  binaries: string,
  timeoutMs: number,
): Promise<void> {
  let said = '';
  let imagesMissingSince: number | undefined;
  const probe = async (): Promise<boolean> => {
    const missing = await findMissing(sandbox);
    const line = missing.join(', ');
    if (line !== said && line !== '') say(`waiting for ${line}`);
    said = line;
    if (missing.length === 0) return true;
    const isImageMissing = (await listPods(sandbox)).some(lacksImage);
    imagesMissingSince = isImageMissing ? (imagesMissingSince ?? Date.now()) : undefined;
    return isImageMissing && Date.now() - (imagesMissingSince ?? 0) > missingImageMs;
  };
  if ((await waitUntil(probe, timeoutMs, pollMs)) && said === '') return;
  const report = await describeProblems(sandbox, binaries);
  throw new SandboxFailure(`not ready: ${said}\n${report}`);
}

async function findMissing(sandbox: Sandbox): Promise<string[]> {
  const [nodes, workloads] = await Promise.all([
    listNodes(sandbox),
    listWorkloads(sandbox),
  ]);
  return [
    ...nodes.filter((node) => !isReady(node)).map((node) => `node ${node.metadata.name}`),
    ...workloads
      .filter((workload) => !isAvailable(workload))
      .map((workload) => `${workload.kind} ${workload.metadata.name}`),
  ];
}

function lacksImage(pod: KubePod): boolean {
  const reasons = (pod.status.containerStatuses ?? []).map((s) => s.state?.waiting?.reason ?? '');
  return reasons.some((reason) => reason === 'ImagePullBackOff' || reason === 'ErrImagePull');
}

async function describeProblems(sandbox: Sandbox, binaries: string): Promise<string> {
  const sections: string[] = [];
  for (const node of await listNodes(sandbox)) {
    const condition = node.status.conditions?.find((c) => c.type === 'Ready');
    if (!isReady(node))
      sections.push(`node ${node.metadata.name}: ${condition?.message ?? 'reports nothing'}`);
  }
  for (const pod of await listPods(sandbox)) {
    if (!isReady(pod) && pod.status.phase !== 'Succeeded')
      sections.push(await describePod(sandbox, binaries, pod));
  }
  return sections.join('\n');
}

async function describePod(sandbox: Sandbox, binaries: string, pod: KubePod): Promise<string> {
  const { name, namespace = 'default' } = pod.metadata;
  const ask = async (args: readonly string[]): Promise<string> => {
    const text = await run(...kubectl(sandbox, binaries, ['-n', namespace, ...args])).catch(
      () => '',
    );
    return text.trimEnd().replaceAll(/^/gm, '    ');
  };
  const reasons = (pod.status.containerStatuses ?? [])
    .filter((container) => !container.ready)
    .map(({ name: container, state, restartCount }) => {
      const reason = state?.waiting?.reason ?? state?.terminated?.reason ?? 'not ready';
      return `${container}: ${reason} (restarts: ${restartCount})`;
    });
  const scheduled = pod.status.conditions?.find(
    (c) => c.type === 'PodScheduled' && c.status !== 'True',
  );
  const columns = 'custom-columns=REASON:.reason,MESSAGE:.message';
  return [
    `pod ${namespace}/${name} on ${pod.spec.nodeName ?? 'no node'}: ${pod.status.phase ?? ''}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...(scheduled?.message === undefined ? [] : [`  ${scheduled.message}`]),
    '  events:',
    await ask([
      'get',
      'events',
      '--field-selector',
      `involvedObject.name=${name}`,
      '-o',
      columns,
      '--no-headers',
    ]),
    '  log:',
    await ask(['logs', name, '--all-containers', '--prefix', `--tail=${logLines}`]),
  ].join('\n');
}
