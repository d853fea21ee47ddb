import { Entry, EntryKey } from '@contrail/proto-gen/control/v1/messages';
import type { CompiledEntry, Interest } from '../compile/compile-context';
import { unitKinds } from '../compile/unit';
import type { Unit, UnitKind } from '../compile/unit';

/** A compiled entry, encoded once for all agents that get it. */
export class EntryRecord {
  /** Key of its unit. */
  readonly key: string;
  readonly kind: UnitKind;
  /** Place of its kind among `unitKinds`. */
  readonly rank: number;
  readonly scope: string;
  readonly interest: Interest | undefined;
  /** The encoded `Entry`. */
  readonly bytes: Uint8Array;
  #removal: Uint8Array | undefined;

  constructor(unit: Unit, { entry, scope, interest }: CompiledEntry) {
    this.key = unit.key;
    this.kind = unit.kind;
    this.rank = unitKinds.indexOf(unit.kind);
    this.scope = scope;
    this.interest = interest;
    // Copied into Node's shared pool: a separate ArrayBuffer each would cost more than most entries.
    this.bytes = Buffer.from(Entry.encode(entry).finish());
  }

  equals(other: EntryRecord): boolean {
    return this.scope === other.scope && Buffer.compare(this.bytes, other.bytes) === 0;
  }

  /** The encoded `EntryKey` that removes the entry; undefined for the one entry that is never removed. */
  get removal(): Uint8Array | undefined {
    if (this.#removal === undefined) {
      const key = entryKeyOf(Entry.decode(this.bytes));
      this.#removal = key && EntryKey.encode(key).finish();
    }
    return this.#removal;
  }
}

/** The key under which agents know an entry; undefined for the global configuration. */
export function entryKeyOf({ kind }: Entry): EntryKey | undefined {
  switch (kind?.$case) {
    case undefined:
    case 'global':
      return undefined;
    case 'node':
      return { kind: { $case: 'node', value: kind.value.name } };
    case 'vrf':
      return { kind: { $case: 'vrf', value: kind.value.id } };
    case 'label':
      return { kind: { $case: 'label', value: kind.value.label } };
    case 'interface':
      return { kind: { $case: 'interface', value: kind.value.uuid } };
    case 'route':
      return kind.value.key && { kind: { $case: 'route', value: kind.value.key } };
    case 'service':
      return kind.value.key && { kind: { $case: 'service', value: kind.value.key } };
    case 'policy':
      return { kind: { $case: 'policy', value: kind.value.id } };
    case 'identity':
      return { kind: { $case: 'identity', value: kind.value.id } };
  }
}
