import { systemClock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import { startAgent } from './agent-process';
import type { RunningAgent } from './agent-process';
import { kubePodEvents, loggedPodEvents } from './cni-server/kube-pod-events';
import { loadConfig } from './config';
import { NodeIdentity } from './control-client/node-identity';
import { createKernelDatapath } from './datapath';

/** The agent as it runs on a node: kernel datapath, certificate by token, events to Kubernetes. */
export async function run(env: NodeJS.ProcessEnv): Promise<RunningAgent> {
  const config = loadConfig(env);
  const { node, bootstrapAddress, tokenFile, caFile, stateFolder, kubernetes } = config;
  const datapath = await createKernelDatapath({
    objectFile: config.bpfObjectFile,
    pinPath: config.bpfPinPath,
    flowCapacity: config.flowCapacity,
    onFailure: (error) => logger('datapath').error('work in the background failed', { error }),
  });
  return await startAgent({
    config,
    datapath,
    identity: new NodeIdentity({ node, bootstrapAddress, tokenFile, caFile, stateFolder, clock: systemClock }),
    events: kubernetes ? kubePodEvents({ ...kubernetes, node }) : loggedPodEvents,
  });
}
