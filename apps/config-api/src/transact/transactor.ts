import { randomUUID } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import {
  describe,
  mapRefs,
  metaOf,
  parentProblems,
  readOnlyProblems,
  refsOf,
  setMeta,
  typeOf,
  validateResource,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore, Write } from '@contrail/store';
import type { Clock } from '@contrail/reconcile';
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
import { WorkingSet } from './working-set';
import type { ObjectChange } from './working-set';

export interface OperationOutcome {
  /** undefined for a deletion. */
  readonly resource: Resource | undefined;
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
    return outcomes[0] ?? { resource: undefined, changed: false };
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
    const resolved = await resolveNames(store, steps, randomUUID);
    const set = await this.#read(resolved);
    for (const step of resolved) set.apply(step);
    if (setsReadOnly !== true) checkReadOnly(resolved, set);
    await authorize?.(set.changes());
    const { claims, frees } = await addImplied(store, set);
    await this.#completeReferences(set);
    const writes = toWrites(set, new Date(clock.now()).toISOString().slice(0, -1));
    if (writes.every(({ kind }) => kind === 'check')) {
      return {
        revision: await store.revision(),
        outcomes: outcomesOf(resolved, set, new Map()),
        deleted: [],
      };
    }
    const guards = await subnetGuards(store, writes);
    const quotas = await quotaLimits(store, set);
    const limits = quotas.map(({ limit }) => limit);
    const result = await store.transact({ writes, claims, frees, guards, limits, traceparent });
    if (result.ok) {
      const written = new Map(
        writes.map((write, i) => [uuidOf(write), withRevision(write, result.revisions[i] ?? 0n)]),
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

  async #read(steps: readonly ResolvedStep[]): Promise<WorkingSet> {
    const set = new WorkingSet();
    const uuids = [
      ...new Set(
        steps.map(uuidOfStep),
      ),
    ];
    const known = uuids.filter((uuid) => uuid !== '');
    const stored = await this.#options.store.getMany(known);
    for (const [i, uuid] of known.entries()) set.add(uuid, stored[i]);
    if (uuids.includes('')) set.add('', undefined);
    return set;
  }

  /** Writes the names of new references, and checks them, the parents, and each object by itself. */
  async #completeReferences(set: WorkingSet): Promise<void> {
    const puts = set.puts();
    const previousOf = (resource: Resource): Resource | undefined =>
      set.entries.get(metaOf(resource).uuid)?.previous;
    const unread = new Set<string>();
    for (const resource of puts) {
      const previous = previousOf(resource);
      const known = new Set(previous === undefined ? [] : refsOf(previous).map(({ uuid }) => uuid));
      for (const { uuid } of refsOf(resource)) if (!known.has(uuid)) unread.add(uuid);
      const { parentUuid } = metaOf(resource);
      if (previous === undefined && parentUuid !== '') unread.add(parentUuid);
    }
    const targets = await this.#targets(set, [...unread]);
    for (const resource of puts) {
      const label = set.entries.get(metaOf(resource).uuid)?.label ?? '';
      const named = nameReferences(resource, previousOf(resource), targets);
      const problems = [
        ...validateResource(named),
        ...problemsWithParent(named, previousOf(resource), targets),
      ];
      if (problems.length > 0)
        throw new ContrailError('INVALID_ARGUMENT', label + problems.join('\n'));
      checkExistence(named, previousOf(resource), { targets, label });
      set.replace(named);
    }
  }

  async #targets(set: WorkingSet, uuids: readonly string[]): Promise<Map<string, Resource>> {
    const targets = new Map<string, Resource>();
    const unread: string[] = [];
    for (const uuid of uuids) {
      const entry = set.entries.get(uuid);
      if (entry === undefined) unread.push(uuid);
      else if (entry.next !== undefined) targets.set(uuid, entry.next);
    }
    for (const resource of await this.#options.store.getMany(unread)) {
      if (resource !== undefined) targets.set(metaOf(resource).uuid, resource);
    }
    return targets;
  }
}

type Targets = ReadonlyMap<string, Resource>;

function nameReferences(
  resource: Resource,
  previous: Resource | undefined,
  targets: Targets,
): Resource {
  const known = new Map(
    (previous === undefined ? [] : refsOf(previous)).map(({ uuid, fqName }) => [uuid, fqName]),
  );
  return mapRefs(resource, ({ uuid, fqName }) => {
    const target = targets.get(uuid);
    const name = target === undefined ? (known.get(uuid) ?? fqName) : metaOf(target).fqName;
    return { uuid, fqName: [...name] };
  });
}

function problemsWithParent(
  resource: Resource,
  previous: Resource | undefined,
  targets: Targets,
): string[] {
  const parent = targets.get(metaOf(resource).parentUuid);
  if (previous !== undefined || parent === undefined) return [];
  return parentProblems(resource, { type: typeOf(parent), fqName: metaOf(parent).fqName });
}

function checkExistence(
  resource: Resource,
  previous: Resource | undefined,
  { targets, label }: { readonly targets: Targets; readonly label: string },
): void {
  const { parentUuid, parentType } = metaOf(resource);
  const kept = new Set(previous === undefined ? [] : refsOf(previous).map(({ uuid }) => uuid));
  const wanted = [
    ...(previous === undefined && parentUuid !== ''
      ? [{ field: 'meta.parent_uuid', uuid: parentUuid, type: parentType }]
      : []),
    ...refsOf(resource)
      .filter(({ uuid }) => !kept.has(uuid))
      .map(({ uuid, type }) => ({ field: `${type.replaceAll('-', '_')}_refs`, uuid, type })),
  ];
  for (const { field, uuid, type } of wanted) {
    const target = targets.get(uuid);
    if (target === undefined) {
      throw new ContrailError(
        'NOT_FOUND',
        `${label}${describe(resource)} ${field}: ${type} ${uuid} does not exist; create it first`,
      );
    }
    if (typeOf(target) !== type) {
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${label}${describe(resource)} ${field}: ${uuid} is ${describe(target)}, but it must be a ${type}`,
      );
    }
  }
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

function withRevision(write: Write, revision: bigint): Resource | undefined {
  return write.kind === 'put'
    ? setMeta(write.resource, { ...metaOf(write.resource), revision })
    : undefined;
}

function outcomesOf(
  steps: readonly ResolvedStep[],
  set: WorkingSet,
  written: ReadonlyMap<string, Resource | undefined>,
): OperationOutcome[] {
  return steps.map((step) => {
    const uuid = uuidOfStep(step);
    const entry = set.entries.get(uuid);
    if (step.kind === 'delete')
      return { resource: undefined, changed: entry?.previous !== undefined };
    const resource = written.get(uuid);
    return { resource: resource ?? entry?.previous, changed: resource !== undefined };
  });
}
