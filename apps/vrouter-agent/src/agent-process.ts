import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { errorText } from '@contrail/errors';
import { systemClock } from '@contrail/reconcile';
import { startServer } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { logger, startAdminServer } from '@contrail/telemetry';
import { AttachmentStore } from './cni-server/attachment-store';
import type { CniContext, PodEvents } from './cni-server/cni-context';
import { CniOperations } from './cni-server/cni-operations';
import { startCniServer } from './cni-server/cni-server';
import { installConfig, installPlugin } from './cni-server/install-plugin';
import { restoreAttachments } from './cni-server/restore-attachments';
import type { Config } from './config';
import { ControlSession } from './control-client/control-session';
import type { Datapath } from './datapath/port';
import { ForwardingState } from './ksync/forwarding-state';
import { NodeDevices } from './node/node-devices';
import { NodeWatch } from './node/node-watch';
import { registerAgentMetrics } from './serve/agent-metrics';
import { agentService } from './serve/agent-service';
import type { AgentServiceOptions } from './serve/agent-service';
import { checkCniSocket } from './serve/cni-liveness';
import { DropFeed } from './serve/drop-feed';
import { reportLosses, watchDrift } from './verify/drift-watch';
import type { DriftEvents } from './verify/drift-watch';
import { Verifier } from './verify/verifier';

const log = logger('agent');
const uplinkIntervalMs = 2000;

/** Who the agent is to others; NodeIdentity, or 'insecure' in development. */
export interface IdentitySource {
  readonly problem: string | undefined;
  /** Resolves when there is a certificate. */
  start(signal: AbortSignal): Promise<TlsSource | 'insecure'>;
}

export interface AgentParts {
  readonly config: Config;
  readonly datapath: Datapath;
  readonly identity: IdentitySource;
  readonly events: PodEvents & DriftEvents;
}

export interface RunningAgent {
  /** Ends streams and servers; maps, programs and interfaces stay. */
  stop(): Promise<void>;
}

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Starts the agent over a datapath. Local sockets serve at once; control and the mTLS port follow
 * when there is a certificate; the CNI configuration is written when the node is ready for pods.
 */
export async function startAgent(parts: AgentParts): Promise<RunningAgent> {
  const { config, datapath, identity, events } = parts;
  const abort = new AbortController();
  const stoppables: Stoppable[] = [];
  let session: ControlSession | undefined;
  const state = new ForwardingState({
    node: config.node,
    datapath,
    nodeDevices: new NodeDevices(datapath, config.nodeAddress),
    generation: Math.floor(Date.now() / 1000),
  });
  const context: CniContext = {
    state,
    datapath,
    attachments: new AttachmentStore(path.join(config.stateFolder, 'attachments')),
    events,
    adding: new Set(),
    leaving: new Set(),
    controlProblem: () => (session ? session.problem : (identity.problem ?? 'control is not connected')),
    addDeadlineMs: config.cniAddDeadlineMs,
  };
  restoreAttachments(context);
  stoppables.push(new NodeWatch(datapath.devices, state, (losses) => reportLosses(events, losses)).start());
  registerAgentMetrics(context);
  installPlugin(config.cniShimFile, config.cniBinFolder);
  stoppables.push(await startCniServer(config.cniSocket, new CniOperations(context)));
  const verifier = new Verifier(context, systemClock, abort.signal);
  const watching = watchDrift({ context, verifier, events, clock: systemClock, intervalMs: config.verifyIntervalMs }, abort.signal);
  stoppables.push({ stop: () => watching });
  const service: AgentServiceOptions = {
    context,
    verifier,
    drops: new DropFeed(datapath),
    version: config.version,
    controlAddress: () => session?.address ?? '',
    problems: () => {
      const found = [context.controlProblem(), identity.problem, ...state.problems()];
      return [...new Set(found.filter((text) => text !== undefined))];
    },
  };
  stoppables.push(await serveUnixSocket(config.agentSocket, service));
  stoppables.push(followUplink(state));
  const installation = installWhenReady(config, state);
  const ready = (): string[] => [...readinessProblems(context), ...installation.problems()];
  const live = (): Promise<string[]> => checkCniSocket(config.cniSocket);
  stoppables.push(await startAdminServer({ address: config.adminAddress, live, ready }));

  const connect = async (): Promise<void> => {
    const tls = await identity.start(abort.signal);
    const services = [agentService(service, ['contrailctl', 'web-ui', 'vrouter-agent'])];
    const remote = await startServer({ address: config.listenAddress, tls, services, health: () => ready().length === 0 });
    stoppables.push({ stop: () => remote.stop() });
    session = new ControlSession({ node: config.node, addresses: config.controlAddresses, tls, state, clock: systemClock });
    await session.run(abort.signal);
  };
  connect().catch((error: unknown) => {
    if (!abort.signal.aborted) log.error('agent cannot reach control', { error });
  });
  log.info('agent started', { node: config.node, layout: datapath.layoutVersion });
  return {
    stop: async () => {
      abort.abort();
      for (const stoppable of stoppables.reverse()) await stoppable.stop();
      state.stop();
      await datapath.close();
    },
  };
}

/** Somebody may change the underlay's MTU while the agent runs. */
function followUplink(state: ForwardingState): Stoppable {
  const timer = setInterval(() => state.followUplink(), uplinkIntervalMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

/** Only root may open the socket. */
async function serveUnixSocket(file: string, service: AgentServiceOptions): Promise<Stoppable> {
  mkdirSync(path.dirname(file), { recursive: true });
  const server = await startServer({ address: `unix:${file}`, tls: 'insecure', services: [agentService(service, 'any')], reflection: true });
  chmodSync(file, 0o600);
  return { stop: () => server.stop(200) };
}

function readinessProblems({ state, controlProblem }: CniContext): string[] {
  if (!state.inSync) return [`no state from control yet: ${controlProblem() ?? 'the snapshot is arriving'}`];
  return state.nodeProblem === undefined ? [] : [state.nodeProblem];
}

/** Writes the CNI configuration once the datapath is in sync: from then on the runtime sends pods. */
function installWhenReady(config: Config, state: ForwardingState): { problems(): string[] } {
  let problem: string | undefined = 'the CNI configuration is not written yet';
  const stop = state.onChange(() => {
    if (!state.inSync || state.nodeProblem !== undefined) return;
    try {
      installConfig(config.cniConfigFolder);
      problem = undefined;
      stop();
    } catch (error) {
      if (problem !== errorText(error)) log.error('CNI configuration not written', { error });
      problem = errorText(error);
    }
  });
  return { problems: () => (problem === undefined ? [] : [problem]) };
}
