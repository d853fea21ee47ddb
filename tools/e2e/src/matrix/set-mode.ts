import { eventually, kubectl, kubectlJson } from '../cluster';
import type { KubeObject } from '../cluster';
import { annotationsOf } from './expected-reach';
import type { Mode } from './expected-reach';

/** Annotates the namespace and waits until every node has it. */
export async function setMode(namespace: string, mode: Mode): Promise<void> {
  const patch = JSON.stringify({ metadata: { annotations: annotationsOf(mode) } });
  await kubectl(['patch', 'namespace', namespace, '--type=merge', '-p', patch]);
  await eventually(`${namespace} is ${mode} on every node`, async () => ((await isolationStatus(namespace)) === mode ? true : undefined));
}

/** What `opencontrail.org/isolation-status` says, as a mode; undefined while it switches. */
async function isolationStatus(namespace: string): Promise<Mode | undefined> {
  const { metadata } = await kubectlJson<KubeObject>(['get', 'namespace', namespace]);
  const status = JSON.parse(metadata.annotations?.['opencontrail.org/isolation-status'] ?? '{}') as { state?: string; services?: string };
  if (status.state === 'not-isolated') return 'open';
  if (status.state !== 'isolated') return undefined;
  return status.services === 'open' ? 'lifted' : 'isolated';
}
