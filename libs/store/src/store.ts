import { ContrailError } from '@contrail/errors';
import type { IdSpace, ResourceType } from '@contrail/resource-model';
import type { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { DependentKind } from './keys';
import type { StoredObject } from './stored-object';

/** A position in the change log; the epoch changes whenever the store may have lost writes. */
export interface WatchPosition {
  readonly epoch: string;
  readonly revision: bigint;
}

/** One change of one object; every change has a revision of its own. */
export interface StoreChange {
  readonly revision: bigint;
  readonly type: ResourceType;
  readonly uuid: string;
  /** The new state; undefined when the object was deleted. */
  readonly object: StoredObject | undefined;
  /** W3C traceparent of the request; '' when it was not traced. */
  readonly traceparent: string;
}

export type WatchEvent =
  | { readonly kind: 'snapshot'; readonly objects: readonly StoredObject[] }
  | { readonly kind: 'in-sync'; readonly position: WatchPosition }
  | {
      readonly kind: 'changes';
      readonly changes: readonly StoreChange[];
      readonly position: WatchPosition;
    }
  /** The last event: the watcher must forget its position and begin with a snapshot. */
  | { readonly kind: 'resync'; readonly reason: string };

export interface WatchOptions {
  /** Empty: every type. */
  readonly types: readonly ResourceType[];
  /** Absent: begin with a snapshot. */
  readonly resume?: WatchPosition | undefined;
  readonly signal: AbortSignal;
}

interface Traced {
  /** W3C traceparent of what asked for this write; absent: that of the transaction. */
  readonly traceparent?: string;
}

/**
 * One step of a transaction. `previous` is what the caller read; the transaction fails with a conflict
 * when the stored object is not that any more. One uuid appears at most once.
 */
export type Write =
  | (Traced & {
      readonly kind: 'put';
      readonly resource: Resource;
      readonly previous: Resource | undefined;
    })
  | (Traced & { readonly kind: 'delete'; readonly previous: Resource })
  /** Changes nothing; the object must still be as read. */
  | { readonly kind: 'check'; readonly previous: Resource };

export interface IdUse {
  readonly space: IdSpace;
  readonly key: string;
}

/** The transaction fails while addresses of the subnet are in use. */
export interface SubnetGuard {
  /** Index of the write that takes the subnet away. */
  readonly write: number;
  readonly subnet: string;
  /** Only addresses of this network count; absent: of every network. */
  readonly network?: string;
}

/** The transaction fails when with it there would be more than `max` objects of a type. */
export interface CountLimit {
  readonly type: ResourceType;
  /** Only objects whose names continue this one, or that refer to this object. */
  readonly of:
    | { readonly kind: 'named'; readonly fqName: readonly string[] }
    | { readonly kind: 'referrers'; readonly uuid: string };
  /** Objects that the transaction adds, less those that it removes. */
  readonly added: number;
  readonly max: number;
}

export interface TransactionRequest {
  readonly writes: readonly Write[];
  /** Numbers that the written objects show; the transaction fails when one was freed meanwhile. */
  readonly claims: readonly (IdUse & { readonly id: number })[];
  /** Numbers of deleted objects. */
  readonly frees: readonly IdUse[];
  readonly guards?: readonly SubnetGuard[];
  readonly limits?: readonly CountLimit[];
  readonly traceparent: string;
}

/** Texts of clients that one deployment keeps. */
export const textsMax = 1_000;

/** What `setText` throws when no more fit. */
export function tooManyTexts(): ContrailError {
  return new ContrailError(
    'RESOURCE_EXHAUSTED',
    `texts: ${textsMax} keys exist, which is the most; delete some`,
  );
}

export interface Dependent {
  readonly kind: DependentKind;
  readonly uuid: string;
}

/** Why nothing was changed; `write` is an index into the writes. */
export type TransactionFailure =
  | { readonly kind: 'conflict'; readonly write: number }
  | { readonly kind: 'claim-lost' }
  | { readonly kind: 'uuid-taken'; readonly write: number; readonly type: ResourceType }
  | { readonly kind: 'name-taken'; readonly write: number; readonly uuid: string }
  | { readonly kind: 'parent-missing'; readonly write: number; readonly uuid: string }
  | { readonly kind: 'reference-missing'; readonly write: number; readonly uuid: string }
  | {
      readonly kind: 'subnet-in-use';
      readonly write: number;
      readonly subnet: string;
      /** Addresses in use. */
      readonly count: number;
    }
  /** `limit` is an index into the limits. */
  | { readonly kind: 'over-limit'; readonly limit: number }
  | {
      readonly kind: 'held';
      readonly write: number;
      /** How many objects depend on the one to delete, and up to three of them. */
      readonly count: number;
      readonly dependents: readonly Dependent[];
    };

export type TransactionResult =
  | {
      readonly ok: true;
      /** Revision of the store after the transaction. */
      readonly revision: bigint;
      /** What was put, in order of the writes; undefined for deletions and checks. */
      readonly objects: readonly (StoredObject | undefined)[];
    }
  | { readonly ok: false; readonly failure: TransactionFailure };

export interface ListQuery {
  readonly type: ResourceType;
  /** Only children of this object. */
  readonly parent?: {
    readonly type: ResourceType;
    readonly uuid: string;
    readonly fqName: readonly string[];
  };
  /** Opaque, from the page before; '' for the first page. */
  readonly after: string;
  readonly limit: number;
}

export interface Page {
  readonly resources: readonly Resource[];
  /** '' on the last page. */
  readonly next: string;
}

/** A page of which nothing was decoded. */
export interface StoredPage {
  readonly objects: readonly StoredObject[];
  /** '' on the last page. */
  readonly next: string;
}

/** A type and a name; names are unique within a type. */
export interface TypedName {
  readonly type: ResourceType;
  readonly fqName: readonly string[];
}

/**
 * The resource model, durable. Objects come with their revision in `meta.revision`. Reads are not part of
 * a transaction: a transaction proves by revisions that what it was computed from still stands.
 *
 * Every method throws ContrailError UNAVAILABLE with cause and remedy while the database cannot be used.
 */
export interface ResourceStore {
  /** In the order of the uuids; undefined for what does not exist. */
  getMany(uuids: readonly string[]): Promise<(Resource | undefined)[]>;
  /** As `getMany`, for who passes the objects on. */
  getStored(uuids: readonly string[]): Promise<(StoredObject | undefined)[]>;
  /** uuids in the order of the names; undefined for what does not exist. */
  findUuids(names: readonly TypedName[]): Promise<(string | undefined)[]>;
  /** In order of fq_name. */
  list(query: ListQuery): Promise<Page>;
  /** As `list`, for who passes the objects on. */
  listStored(query: ListQuery): Promise<StoredPage>;
  /** Who depends on an object by references of one kind or as child; at most `limit`. */
  dependents(uuid: string, kind: DependentKind, limit: number): Promise<string[]>;
  /** All or nothing. */
  transact(request: TransactionRequest): Promise<TransactionResult>;
  revision(): Promise<bigint>;
  /** Ends after `resync`, or when the signal is aborted. */
  watch(options: WatchOptions): AsyncIterable<WatchEvent>;
  /**
   * Numbers of keys, in order; equal keys get equal numbers for ever.
   * @param pending the numbers are freed after ten minutes unless a transaction claims them.
   * @throws ContrailError RESOURCE_EXHAUSTED when the space has no number left.
   */
  allot(space: IdSpace, keys: readonly string[], pending?: boolean): Promise<number[]>;
  reportProgress(nodes: readonly NodeProgress[]): Promise<void>;
  /** Sorted by node. */
  progress(): Promise<NodeProgress[]>;
  forgetProgress(nodes: readonly string[]): Promise<void>;
  /** A text that a client keeps here under a key of its own; not part of the model. */
  getText(key: string): Promise<string | undefined>;
  /** @throws ContrailError RESOURCE_EXHAUSTED when `textsMax` keys exist already. */
  setText(key: string, text: string): Promise<void>;
  /** False when there was none. */
  deleteText(key: string): Promise<boolean>;
  /** All of them, sorted by key. */
  texts(): Promise<{ readonly key: string; readonly text: string }[]>;
  /** What keeps the store from being used, in sentences; empty when it can be read and written. */
  problems(): Promise<string[]>;
  close(): Promise<void>;
}
