import { systemClock } from '@contrail/reconcile';
import { startServer } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import type { CompileSettings } from './compile/compile-context';
import type { ConfigApi } from './config-api-client';
import { Compiler } from './engine/compiler';
import { ControlEngine } from './engine/control-engine';
import { IdAllotter } from './engine/id-allotter';
import { Rollout } from './engine/rollout';
import { reach } from './reach/reach';
import { ConflictReporter } from './serve/conflict-reporter';
import { controlService } from './serve/control-service';
import { observe } from './serve/metrics';
import { ProgressReporter } from './serve/progress-reporter';
import type { AgentStream } from './stream/agent-stream';
import { StreamHub } from './stream/stream-hub';
import { ConfigWatch } from './watch/config-watch';
import { NodesElsewhere } from './watch/nodes-elsewhere';

export interface ControlOptions {
  readonly listenAddress: string;
  readonly tls: TlsSource | 'insecure';
  readonly configApi: ConfigApi;
  readonly settings: CompileSettings;
  readonly pendingMax: number;
  /** How long objects that a store lost stay in force; default a minute. */
  readonly orphanGraceMs?: number;
}

/** kube-manager writes a cluster anew within seconds; a minute covers its own restart. */
const orphanGraceMs = 60_000;

export interface RunningControl {
  readonly port: number;
  /** Why agents should go elsewhere. */
  problems(): string[];
  stop(): Promise<void>;
}

/** Connects the parts and starts their loops. */
export async function startControl(options: ControlOptions): Promise<RunningControl> {
  const { configApi, settings, pendingMax } = options;
  const clock = systemClock;
  const hub: StreamHub = new StreamHub({
    pendingMax,
    connectivity: () => ({ topology: compiler.topology, reach: compiler.reach }),
    onProgress: () => {
      progress.note();
      elsewhere.note();
    },
  });
  const elsewhere: NodesElsewhere = new NodesElsewhere({
    nodes: () => names(compiler.model.all('virtual-router')),
    isHere: (node) => hub.has(node),
    isNeeded: () => rollout.isUnderWay,
    ask: () => configApi.progress(),
    onProgress: () => engine.noteProgress(),
    clock,
  });
  const rollout: Rollout = new Rollout({ hub, clock, elsewhere: () => elsewhere.list(), wake: () => engine.noteProgress() });
  const compiler: Compiler = new Compiler(settings, rollout);
  const allotter: IdAllotter = new IdAllotter({
    source: configApi,
    clock,
    deliver: (learnt) => void engine.submit({ kind: 'ids', learnt }),
  });
  const engine: ControlEngine = new ControlEngine({
    ...{ compiler, hub, rollout, allotter, clock },
    orphanGraceMs: options.orphanGraceMs ?? orphanGraceMs,
    onPass: () => conflicts.note(),
  });
  const conflicts = new ConflictReporter({ source: compiler, report: (found) => configApi.reportConflicts(found), clock });
  const progress: ProgressReporter<AgentStream> = new ProgressReporter({
    agents: () => hub.streams(),
    stagesOf: (agent) => rollout.stagesOf(agent),
    isUrgent: () => rollout.isUnderWay && !elsewhere.isEmpty,
    report: (nodes) => configApi.reportProgress(nodes),
    clock,
  });
  const watch = new ConfigWatch({
    open: (request, signal) => configApi.watch(request, signal),
    submit: (input) => engine.submit(input),
    clock,
  });
  const service = controlService({
    hub,
    clock,
    isReady: () => engine.isReady,
    onAck: () => {
      engine.noteProgress();
      progress.note();
    },
    onLeave: (node) => {
      engine.noteProgress();
      progress.forget(node);
    },
    reach: (request) => ({ ...reach(compiler, request), revision: engine.revision }),
  });
  const server = await startServer({
    address: options.listenAddress,
    tls: options.tls,
    services: [service],
    health: () => engine.isReady,
  });
  observe({ compiler, engine, hub });
  const stopping = new AbortController();
  const loops = [engine, allotter, progress, conflicts, watch, elsewhere].map((loop) => loop.run(stopping.signal));
  return {
    port: server.port,
    problems: () => (engine.isReady ? [] : [`no complete configuration yet: ${watch.problem ?? 'numbers are missing'}`]),
    stop: async () => {
      hub.cutAll('control is stopping; connect to another replica');
      await server.stop();
      stopping.abort();
      rollout.stop();
      await Promise.all(loops);
      configApi.close();
    },
  };
}

function* names(objects: Iterable<{ readonly name: string }>): Generator<string> {
  for (const { name } of objects) yield name;
}
