import { randomUUID } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import { metaOf, readOnlyProblems, refsOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore, StoredObject, Write } from '@contrail/store';
import type { Clock } from '@contrail/reconcile';
import { completeReferences } from './complete-references';
import { explainFailure, isRepeatable } from './explain-failure';
import { addImplied } from './implied';
import { KeyedQueue } from './keyed-queue';
import { isEqual, stamp } from './merge';
import { quotaLimits } from './quotas';
import { resolveNames, uuidOfStep } from './resolve-names';
import type { ResolvedStep } from './resolve-names';
import { toSteps } from './step';
import type { ResourceChange, Step } from './step';
import { subnetGuards } from './subnet-guards';
import { TransactionReads } from './transaction-reads';
import type { TransactionStore } from './transaction-reads';
import { WorkingSet } from './working-set';
import type { ObjectChange } from './working-set';

export interface OperationOutcome {
  /** undefined for a deletion. */
  readonly resource: Resource | undefined;
  /** `resource` as it was stored now; undefined when it was not. */
  readonly object: StoredObject | undefined;
  readonly changed: boolean;
}

export interface TransactionOutcome {
  readonly revision: bigint;
  readonly outcomes: readonly OperationOutcome[];
  /** Objects that are gone, the implied ones too. */
  readonly deleted: readonly Resource[];
}

export interface TransactorOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  /** Counts attempts that lost against somebody else's change. */
  readonly onRetry: () => void;
}

export interface TransactionOptions {
  /** For config-api's own objects: fields that clients cannot set may be set. */
  readonly setsReadOnly?: boolean;
  /** Refuses what the operations themselves do, before what they imply is added. @throws ContrailError */
  readonly authorize?: (changes: readonly ObjectChange[]) => Promise<void>;
}

interface AttemptOptions extends TransactionOptions {
  readonly traceparent: string;
  readonly last: boolean;
}

const attemptsMax = 12;
const backoffMs = 2;

/**
 * Turns requests into transactions of the store: resolves names, merges with what is stored, adds implied
 * objects, validates, commits, and does it again when somebody else changed the same objects meanwhile.
 */
export class Transactor {
  readonly #options: TransactorOptions;
  readonly #changes = new KeyedQueue();

  constructor(options: TransactorOptions) {
    this.#options = options;
  }

  /** All or nothing. @throws ContrailError that names the operation, object, field, cause and remedy. */
  async run(
    operations: readonly Operation[],
    traceparent: string,
    options: TransactionOptions = {},
  ): Promise<TransactionOutcome> {
    return await this.#run(toSteps(operations, randomUUID), traceparent, options);
  }

  /**
   * Changes one object by a function of what is stored; changes at the same time all take effect.
   * @throws ContrailError NOT_FOUND when there is no such object, and what `run` throws.
   */
  async modify(
    target: { readonly type: ResourceType; readonly uuid: string },
    change: ResourceChange,
    traceparent: string,
  ): Promise<OperationOutcome> {
    const step: Step = { kind: 'modify', label: '', ...target, change };
    const { outcomes } = await this.#changes.run(target.uuid, () => this.#run([step], traceparent));
    return outcomes[0] ?? { resource: undefined, object: undefined, changed: false };
  }

  async #run(
    steps: readonly Step[],
    traceparent: string,
    options: TransactionOptions = {},
  ): Promise<TransactionOutcome> {
    const { clock, onRetry } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === attemptsMax;
      const outcome = await this.#attempt(steps, { ...options, traceparent, last });
      if (outcome !== undefined) return outcome;
      onRetry();
      await clock.sleep(backoffMs * attempt * (0.5 + Math.random()));
    }
  }

  /** @returns undefined when somebody else was faster. */
  async #attempt(
    steps: readonly Step[],
    { traceparent, last, setsReadOnly, authorize }: AttemptOptions,
  ): Promise<TransactionOutcome | undefined> {
    const { store, clock } = this.#options;
    const reads = new TransactionReads(store);
    const resolved = await resolveNames(reads, steps, randomUUID);
    const set = await readObjects(reads, resolved);
    for (const step of resolved) set.apply(step);
    if (setsReadOnly !== true) checkReadOnly(resolved, set);
    await authorize?.(set.changes());
    const { claims, frees } = await addImplied(reads, set);
    await completeReferences(reads, set);
    const writes = toWrites(set, new Date(clock.now()).toISOString().slice(0, -1));
    if (writes.every(({ kind }) => kind === 'check')) {
      return {
        revision: await store.revision(),
        outcomes: outcomesOf(resolved, set, new Map()),
        deleted: [],
      };
    }
    const guards = await subnetGuards(reads, writes);
    const quotas = await quotaLimits(reads, set);
    const limits = quotas.map(({ limit }) => limit);
    const result = await store.transact({ writes, claims, frees, guards, limits, traceparent });
    if (result.ok) {
      const written = new Map(
        result.objects.flatMap((object, i): [string, StoredObject][] => {
          const write = writes[i];
          return object === undefined || write === undefined ? [] : [[uuidOf(write), object]];
        }),
      );
      return {
        revision: result.revision,
        outcomes: outcomesOf(resolved, set, written),
        deleted: set.deletions(),
      };
    }
    if (!last && isRepeatable(result.failure)) return undefined;
    throw await explainFailure(store, { writes, quotas }, result.failure);
  }
}

async function readObjects(
  store: TransactionStore,
  steps: readonly ResolvedStep[],
): Promise<WorkingSet> {
  const set = new WorkingSet();
  const uuids = [...new Set(steps.map(uuidOfStep))];
  const known = uuids.filter((uuid) => uuid !== '');
  // What a new object refers to is needed in any case; so one question to the store is enough.
  const needed = steps.flatMap((step) => (step.kind === 'create' ? targetsOf(step.resource) : []));
  const stored = await store.getMany([...known, ...needed]);
  for (const [i, uuid] of known.entries()) set.add(uuid, stored[i]);
  if (uuids.includes('')) set.add('', undefined);
  return set;
}

/** Parent and references. */
function targetsOf(resource: Resource): string[] {
  const { parentUuid } = metaOf(resource);
  const targets = refsOf(resource).map(({ uuid }) => uuid);
  return parentUuid === '' ? targets : [parentUuid, ...targets];
}

function checkReadOnly(steps: readonly ResolvedStep[], set: WorkingSet): void {
  for (const step of steps) {
    if (step.kind === 'delete' || step.kind === 'modify') continue;
    if (step.kind === 'update' && step.mask.length > 0) continue;
    const problems = readOnlyProblems(
      step.resource,
      set.entries.get(metaOf(step.resource).uuid)?.previous,
    );
    if (problems.length > 0)
      throw new ContrailError('INVALID_ARGUMENT', step.label + problems.join('\n'));
  }
}

/** Unchanged objects are only checked, so that the whole transaction rests on one state. */
function toWrites(set: WorkingSet, now: string): Write[] {
  return [...set.entries.values()].flatMap(({ previous, next, traceparent }): Write[] => {
    const traced = traceparent === undefined ? {} : { traceparent };
    if (next === undefined)
      return previous === undefined ? [] : [{ kind: 'delete', previous, ...traced }];
    if (previous !== undefined && isEqual(previous, next)) return [{ kind: 'check', previous }];
    return [{ kind: 'put', resource: stamp(next, previous, now), previous, ...traced }];
  });
}

function uuidOf(write: Write): string {
  return metaOf(write.kind === 'put' ? write.resource : write.previous).uuid;
}

function outcomesOf(
  steps: readonly ResolvedStep[],
  set: WorkingSet,
  written: ReadonlyMap<string, StoredObject>,
): OperationOutcome[] {
  return steps.map((step) => {
    const uuid = uuidOfStep(step);
    const previous = set.entries.get(uuid)?.previous;
    if (step.kind === 'delete')
      return { resource: undefined, object: undefined, changed: previous !== undefined };
    const object = written.get(uuid);
    if (object === undefined) return { resource: previous, object, changed: false };
    // Most clients of transactions do not look.
    return { object, changed: true, get resource() { return object.resource; } };
  });
}
