import { ContrailError } from '@contrail/errors';
import { completeResource, describe, metaOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { applyMask } from './field-mask';
import { checkIdentity, isEqual, replaceFields } from './merge';
import { uuidOfStep } from './resolve-names';
import type { ResolvedStep } from './resolve-names';

/** An object that a transaction is about: as stored, and as it will be. */
export interface Entry {
  readonly previous: Resource | undefined;
  /** undefined: absent after the transaction. */
  next: Resource | undefined;
  /** Of the operation that touched it last, for error texts. */
  label: string;
  /** Of the operation that touched it last; absent: that of the transaction. */
  traceparent?: string | undefined;
}

/** An object before and after; undefined where it does not exist. */
export type ObjectChange = Pick<Entry, 'previous' | 'next'>;

/** The objects of one transaction, in the order in which they were first named. */
export class WorkingSet {
  readonly entries = new Map<string, Entry>();
  /** Objects that others implied and imply no more: they go, though nobody may delete them. */
  readonly dropped = new Set<string>();

  /** Adds an object as stored; the first time counts. */
  add(uuid: string, previous: Resource | undefined, label = ''): Entry {
    const entry = this.entries.get(uuid) ?? { previous, next: previous, label };
    this.entries.set(uuid, entry);
    return entry;
  }

  /** Objects that will exist and differ from what is stored. */
  puts(type?: ResourceType): Resource[] {
    const puts: Resource[] = [];
    for (const { previous, next } of this.entries.values()) {
      if (next === undefined || (type !== undefined && typeOf(next) !== type)) continue;
      if (previous === undefined || !isEqual(previous, next)) puts.push(next);
    }
    return puts;
  }

  /** What the transaction does to objects. */
  changes(): ObjectChange[] {
    return [...this.entries.values()].filter(({ previous, next }) =>
      previous === undefined || next === undefined ? previous !== next : !isEqual(previous, next),
    );
  }

  /** Objects that will not exist yet do. */
  deletions(): Resource[] {
    return [...this.entries.values()].flatMap(({ previous, next }) =>
      previous !== undefined && next === undefined ? [previous] : [],
    );
  }

  isDeleted(uuid: string): boolean {
    const entry = this.entries.get(uuid);
    return entry !== undefined && entry.next === undefined;
  }

  replace(next: Resource): void {
    const entry = this.entries.get(metaOf(next).uuid);
    if (entry !== undefined) entry.next = next;
  }

  /** @throws ContrailError ALREADY_EXISTS, NOT_FOUND, ABORTED, INVALID_ARGUMENT with the step's label. */
  apply(step: ResolvedStep): void {
    try {
      this.#apply(step);
    } catch (error) {
      if (!(error instanceof ContrailError) || step.label === '') throw error;
      throw new ContrailError(error.code, step.label + error.message, { cause: error.cause });
    }
  }

  #apply(step: ResolvedStep): void {
    const uuid = uuidOfStep(step);
    const entry = this.entries.get(uuid);
    const current = entry?.next;
    if (entry !== undefined) {
      entry.label = step.label;
      entry.traceparent = step.traceparent;
    }
    switch (step.kind) {
      case 'create':
        if (current !== undefined) {
          throw new ContrailError(
            'ALREADY_EXISTS',
            `${describe(current)} exists with uuid ${uuid}; update it, or use another uuid`,
          );
        }
        this.#set(uuid, completeResource(step.resource));
        return;
      case 'upsert':
        this.#set(
          uuid,
          current === undefined
            ? completeResource(step.resource)
            : completeResource(replaceFields(current, step.resource), current),
        );
        return;
      case 'update':
        this.#set(uuid, completeResource(update(current, step), current));
        return;
      case 'modify':
        if (current === undefined || typeOf(current) !== step.type) {
          throw new ContrailError(
            'NOT_FOUND',
            `${step.type} ${uuid} does not exist; check the uuid and the type`,
          );
        }
        this.#set(uuid, completeResource(step.change(current), current));
        return;
      case 'delete':
        if (current === undefined) return;
        if (step.type !== undefined && step.type !== typeOf(current)) {
          throw new ContrailError(
            'INVALID_ARGUMENT',
            `key.type: is ${step.type}, but ${uuid} is ${describe(current)}; correct the type`,
          );
        }
        checkRevision(current, step.expected);
        this.#set(uuid, undefined);
        return;
    }
  }

  #set(uuid: string, next: Resource | undefined): void {
    const entry = this.entries.get(uuid);
    if (entry === undefined)
      throw new ContrailError('INTERNAL', `object ${uuid} was not read before it is changed`);
    if (entry.previous !== undefined && entry.next === undefined && next !== undefined) {
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${describe(next)}: is deleted and made again with the same uuid in one transaction; use upsert, or another uuid`,
      );
    }
    entry.next = next;
  }
}

function update(
  current: Resource | undefined,
  step: Extract<ResolvedStep, { kind: 'update' }>,
): Resource {
  if (current === undefined) {
    throw new ContrailError(
      'NOT_FOUND',
      `${describe(step.resource)} does not exist; create it, or use upsert`,
    );
  }
  checkRevision(current, step.expected);
  if (step.mask.length === 0) return replaceFields(current, step.resource);
  checkIdentity(current, step.resource);
  return applyMask(current, step.resource, step.mask);
}

function checkRevision(current: Resource, expected: bigint): void {
  const { revision } = metaOf(current);
  if (expected === 0n || expected === revision) return;
  throw new ContrailError(
    'ABORTED',
    `${describe(current)} expected_revision: is ${expected}, but the object is at ${revision}; read it again and repeat the change`,
  );
}
