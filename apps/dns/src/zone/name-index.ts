import { parentOf, type WireName } from './domain-name';
import type { RecordData, RecordType } from './record';
import type { NamedRecords } from './service-names';

/** One existing name. Without records of its own it is there because of names below it, or of its owner. */
export class NameNode {
  readonly #owners = new Map<string, readonly RecordData[]>();
  #byType: Map<RecordType, RecordData[]> | undefined;
  /** Existing names one label below. */
  children = 0;
  /** Grows with each change of the records, so that ready-made answers can be told from outdated ones. */
  version = 0;

  get ownerCount(): number {
    return this.#owners.size;
  }

  /** Who made the records: `Service/blue/web`. */
  get owners(): Iterable<string> {
    return this.#owners.keys();
  }

  set(owner: string, records: readonly RecordData[]): void {
    this.#owners.set(owner, records);
    this.#forget();
  }

  remove(owner: string): void {
    this.#owners.delete(owner);
    this.#forget();
  }

  records(type: RecordType): readonly RecordData[] {
    return this.#group().get(type) ?? [];
  }

  /** The types that the name has. */
  get types(): readonly RecordType[] {
    return [...this.#group().keys()];
  }

  #group(): Map<RecordType, RecordData[]> {
    if (this.#byType !== undefined) return this.#byType;
    const byType = new Map<RecordType, RecordData[]>();
    for (const data of [...this.#owners.values()].flat()) {
      const group = byType.get(data.type);
      if (group === undefined) byType.set(data.type, [data]);
      else group.push(data);
    }
    this.#byType = byType;
    return byType;
  }

  #forget(): void {
    this.#byType = undefined;
    this.version += 1;
  }
}

/**
 * All existing names of a zone and of reverse zones, by owner. Each owner's names are replaced as one, so a Service can
 * change without touching the others; a name may have several owners (one address in two Services: two PTR records).
 */
export class NameIndex {
  readonly #nodes = new Map<WireName, NameNode>();
  readonly #namesOfOwner = new Map<string, readonly WireName[]>();

  /** @param zone names below it exist together with all names between them and it. */
  constructor(private readonly zone: WireName) {}

  get size(): number {
    return this.#nodes.size;
  }

  find(name: WireName): NameNode | undefined {
    return this.#nodes.get(name);
  }

  /** Replaces everything that the owner had. */
  set(owner: string, names: NamedRecords): void {
    const before = this.#namesOfOwner.get(owner) ?? [];
    for (const [name, records] of names) this.#ensure(name).set(owner, records);
    for (const name of before) if (!names.has(name)) this.#release(name, owner);
    if (names.size > 0) this.#namesOfOwner.set(owner, [...names.keys()]);
    else this.#namesOfOwner.delete(owner);
  }

  remove(owner: string): void {
    this.set(owner, new Map());
  }

  #ensure(name: WireName): NameNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node = new NameNode();
    this.#nodes.set(name, node);
    if (this.#isBelowZone(name)) this.#ensure(parentOf(name)).children += 1;
    return node;
  }

  #release(name: WireName, owner: string): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.remove(owner);
    this.#prune(name, node);
  }

  #prune(name: WireName, node: NameNode): void {
    if (node.ownerCount > 0 || node.children > 0) return;
    this.#nodes.delete(name);
    if (!this.#isBelowZone(name)) return;
    const parent = this.#nodes.get(parentOf(name));
    if (parent === undefined) return;
    parent.children -= 1;
    this.#prune(parentOf(name), parent);
  }

  #isBelowZone(name: WireName): boolean {
    return name.length > this.zone.length && name.endsWith(this.zone);
  }
}
