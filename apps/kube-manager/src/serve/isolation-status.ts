import { ContrailError } from '@contrail/errors';
import { kubeKinds } from '@contrail/kube';
import type { KubeClient } from '@contrail/kube';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { GetProgressResponse } from '@contrail/proto-gen/config/v1/messages';
import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { callUnary } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { isolationStatusKey } from '../translate/annotation-keys';
import type { Isolation } from '../translate/isolation';
import type { KubeNamespace } from '../translate/kube-objects';

const log = logger('isolation-status');
/** How often the nodes are asked for while a switch is under way. */
const lookMs = 150;
/** How often a switch that goes on is written anew. */
const retellMs = 1_000;
const deadlineMs = 5_000;

/** What the annotation `opencontrail.org/isolation-status` of a namespace says, as JSON. */
export interface IsolationStatusText {
  readonly state: 'isolated' | 'not-isolated' | 'switching';
  /** While it switches: where to. */
  readonly to?: 'isolated' | 'not-isolated';
  /** Of an isolated namespace: whether its services are for itself, or for everybody. */
  readonly services?: 'isolated' | 'open';
  /** Revision of the store with which the state began. */
  readonly revision: number;
  /** Nodes that have it, of all that are connected. */
  readonly nodes: string;
}

interface Switch {
  readonly namespace: KubeNamespace;
  readonly isolation: Isolation;
  /** Undefined: what the store has when somebody looks. */
  revision: bigint | undefined;
  toldMs: number;
}

export interface IsolationStatusOptions {
  readonly kube: Pick<KubeClient, 'patch'>;
  readonly config: ConfigServiceClient;
  /** Nodes that Kubernetes does not have any more need nothing. */
  readonly hasNode: (name: string) => boolean;
  readonly clock?: Clock;
}

/** Writes how far the switch of a namespace is, until every node has the new state. */
export class IsolationStatus {
  private readonly clock: Clock;
  private readonly switches = new Map<string, Switch>();
  /** By uid of the namespace: newer than what the watch of Kubernetes tells. */
  private readonly told = new Map<string, IsolationStatusText>();
  private wake: () => void = () => undefined;

  constructor(private readonly options: IsolationStatusOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** A namespace lives by another isolation from this revision on. */
  begin(namespace: KubeNamespace, isolation: Isolation, revision: bigint | undefined): void {
    this.switches.set(namespace.name, { namespace, isolation, revision, toldMs: Number.NEGATIVE_INFINITY });
    this.wake();
  }

  /** Completes what an earlier process left; a namespace that never was isolated is not written to. */
  ensure(namespace: KubeNamespace, isolation: Isolation): void {
    if (this.switches.has(namespace.name)) return;
    const told = this.told.get(namespace.uid) ?? parseStatus(namespace.isolationStatus);
    if (told === undefined && isolation === 'none' && namespace.isolationStatus === undefined) return;
    if (told !== undefined && isOf(told, isolation)) return;
    this.begin(namespace, isolation, undefined);
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.switches.size === 0) {
        await this.nextSwitch(signal);
        continue;
      }
      let pauseMs = lookMs;
      try {
        await this.look(await callUnary(this.options.config, 'getProgress', {}, { deadlineMs, signal }));
      } catch (error) {
        pauseMs = retellMs;
        if (!signal.aborted) log.warn('the state of a switch could not be written', { error });
      }
      await this.clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  private async nextSwitch(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.wake = () => undefined;
  }

  private async look(progress: GetProgressResponse): Promise<void> {
    const nodes = progress.nodes.filter(({ node }) => this.options.hasNode(node));
    for (const [name, entry] of [...this.switches]) {
      const revision = (entry.revision ??= progress.revision);
      const reached = nodes.filter((node) => node.revision >= revision).length;
      const isDone = reached === nodes.length;
      const nowMs = this.clock.now();
      if (isDone || nowMs - entry.toldMs >= retellMs) {
        await this.write(entry, toText(entry.isolation, { isDone, revision, nodes: `${reached}/${nodes.length}` }));
        entry.toldMs = nowMs;
      }
      if (isDone && this.switches.get(name) === entry) this.switches.delete(name);
    }
  }

  private async write({ namespace }: Switch, text: IsolationStatusText): Promise<void> {
    const annotations = { [isolationStatusKey]: JSON.stringify(text) };
    try {
      // The uid is a precondition: a namespace of the same name that came later is another one.
      await this.options.kube.patch(kubeKinds.namespaces, { name: namespace.name }, { metadata: { uid: namespace.uid, annotations } });
      this.told.set(namespace.uid, text);
    } catch (error) {
      const isGone = error instanceof ContrailError && (error.code === 'NOT_FOUND' || error.code === 'ABORTED');
      if (!isGone) throw error;
      this.told.delete(namespace.uid);
    }
  }
}

interface Progress {
  readonly isDone: boolean;
  readonly revision: bigint;
  readonly nodes: string;
}

function toText(isolation: Isolation, { isDone, revision, nodes }: Progress): IsolationStatusText {
  const target = isolation === 'none' ? 'not-isolated' : 'isolated';
  return {
    ...(isDone ? { state: target } : { state: 'switching', to: target }),
    ...(isolation === 'none' ? {} : { services: isolation === 'pods' ? 'open' : 'isolated' }),
    revision: Number(revision),
    nodes,
  };
}

function isOf(text: IsolationStatusText, isolation: Isolation): boolean {
  const complete = toText(isolation, { isDone: true, revision: 0n, nodes: '' });
  return text.state === complete.state && text.services === complete.services;
}

/** Undefined when the text is not what we write. */
function parseStatus(text: string | undefined): IsolationStatusText | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && 'state' in value ? (value as IsolationStatusText) : undefined;
  } catch {
    return undefined;
  }
}
