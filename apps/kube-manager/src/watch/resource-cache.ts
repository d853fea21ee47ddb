import { formatAddress, tryParseAddress } from '@contrail/net';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { decodeResource, encodeResource, metaOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { rootKey, rootOf } from '../translate/ownership';

/** Types that we read or write. */
export const cachedTypes = [
  'project',
  'network-ipam',
  'virtual-network',
  'network-policy',
  'security-group',
  'virtual-router',
  'virtual-machine',
  'virtual-machine-interface',
  'instance-ip',
  'alias-ip-pool',
  'alias-ip',
  'loadbalancer',
  'loadbalancer-listener',
  'loadbalancer-pool',
  'loadbalancer-member',
] as const satisfies readonly ResourceType[];

/** Kept whoever made them, because we may use what others made. */
const sharedTypes: ReadonlySet<ResourceType> = new Set([
  'project',
  'network-ipam',
  'virtual-network',
  'network-policy',
  'security-group',
]);

/** An object came, changed or went; `root` is absent when it is not ours. */
export interface CacheChange {
  /** Absent when the object is not known any more. */
  readonly type: ResourceType | undefined;
  readonly uuid: string;
  readonly root: string | undefined;
  /** Of the types whose names are shared. */
  readonly fqName?: readonly string[] | undefined;
  /** Of an InstanceIp or AliasIp of ours; canonical text. */
  readonly address?: string | undefined;
  readonly deleted: boolean;
  readonly source: ChangeSource;
}

/** `own`: the answer to a transaction of ours; `watch`: what config-api told us. */
export type ChangeSource = 'own' | 'watch';

interface Entry {
  readonly type: ResourceType;
  readonly revision: bigint;
  readonly root: string | undefined;
  readonly name: string | undefined;
  readonly address: string | undefined;
  /** Encoded: a tenth of the memory of the message. */
  readonly bytes: Buffer;
}

/** Revision of what a snapshot has not confirmed yet. */
const beforeAll = -1n;

/**
 * Our objects in config-api, and the objects of others that ours may refer to. Filled by the watch and, at once,
 * by our own transactions; a revision decides which of the two is newer.
 */
export class ResourceCache {
  private readonly entries = new Map<string, Entry>();
  private readonly byRoot = new Map<string, Set<string>>();
  private readonly byName = new Map<string, string>();
  private readonly byAddress = new Map<string, Set<string>>();
  /** Deleted by us at a revision that the watch has not reached yet. */
  private readonly tombstones = new Map<string, bigint>();
  /** Objects in a transaction of ours that has no answer yet, with the last change that the watch told of each. */
  private readonly inFlight = new Map<string, { seen: bigint | undefined }>();
  /** Everything up to this revision has come by the watch. */
  private watched = 0n;
  private readonly listeners: ((change: CacheChange) => void)[] = [];

  constructor(private readonly clusterUid: string) {}

  /** Called synchronously after each change; must only mark work to do. */
  onChange(listener: (change: CacheChange) => void): void {
    this.listeners.push(listener);
  }

  get(uuid: string): Resource | undefined {
    const entry = this.entries.get(uuid);
    return entry === undefined ? undefined : decodeResource(entry.bytes);
  }

  has(uuid: string): boolean {
    return this.entries.has(uuid);
  }

  /** For types whose names are shared: projects, networks, IPAMs, policies, security groups. */
  findByName(type: ResourceType, fqName: readonly string[]): Resource | undefined {
    const uuid = this.byName.get(nameOf(type, fqName));
    return uuid === undefined ? undefined : this.get(uuid);
  }

  /** Our InstanceIps and AliasIps with this address. @param address canonical text. */
  findByAddress(address: string): Resource[] {
    return [...(this.byAddress.get(address) ?? [])].flatMap((uuid) => this.get(uuid) ?? []);
  }

  /** All objects that derive from a root object, by uuid. */
  ofRoot(root: string): Map<string, Resource> {
    const found = new Map<string, Resource>();
    for (const uuid of this.byRoot.get(root) ?? []) {
      const resource = this.get(uuid);
      if (resource !== undefined) found.set(uuid, resource);
    }
    return found;
  }

  hasRoot(root: string): boolean {
    return this.byRoot.has(root);
  }

  /** Roots of all our objects. */
  roots(): IterableIterator<string> {
    return this.byRoot.keys();
  }

  uuids(): IterableIterator<string> {
    return this.entries.keys();
  }

  get size(): number {
    return this.entries.size;
  }

  /** The watch has told everything up to here. */
  setPosition(revision: bigint): void {
    this.watched = revision;
  }

  /** These objects are about to be written by us: what the watch tells of them is probably our own echo. */
  beginWrite(uuids: readonly string[]): void {
    for (const uuid of uuids) this.inFlight.set(uuid, { seen: undefined });
  }

  /** @param written revision of each object as we wrote it; absent for what was deleted or refused. */
  endWrite(uuids: readonly string[], written: ReadonlyMap<string, bigint>): void {
    for (const uuid of uuids) {
      const seen = this.inFlight.get(uuid)?.seen;
      this.inFlight.delete(uuid);
      const entry = this.entries.get(uuid);
      const foreign = seen !== undefined && seen !== written.get(uuid) && (entry !== undefined || written.has(uuid));
      if (foreign) this.tell({ type: entry?.type, uuid, root: entry?.root, deleted: entry === undefined, source: 'watch' });
    }
  }

  /**
   * A snapshot begins: it is newer than everything that is here, whatever the numbers say. A store that lost its content
   * counts from 0 again.
   */
  beginSnapshot(): void {
    for (const [uuid, entry] of this.entries) this.entries.set(uuid, { ...entry, revision: beforeAll });
    this.tombstones.clear();
    this.watched = 0n;
  }

  upsert(resource: Resource, source: ChangeSource): void {
    const meta = metaOf(resource);
    const type = typeOf(resource);
    const known = this.entries.get(meta.uuid);
    if (known !== undefined && known.revision >= meta.revision) return;
    // The watch was here before the answer, and may have told of a later deletion.
    if (source === 'own' && meta.revision <= this.watched) return;
    if ((this.tombstones.get(meta.uuid) ?? -1n) >= meta.revision) return;
    this.tombstones.delete(meta.uuid);
    const owner = rootOf(this.clusterUid, meta);
    const root = owner === undefined ? undefined : rootKey(owner);
    if (root === undefined && !sharedTypes.has(type)) return;
    const encoded = Buffer.from(encodeResource(resource));
    if (known?.bytes.equals(encoded) === true) {
      this.entries.set(meta.uuid, { ...known, revision: meta.revision });
      return;
    }
    this.unlink(meta.uuid, known);
    const name = sharedTypes.has(type) ? nameOf(type, meta.fqName) : undefined;
    const address = addressOf(resource);
    this.entries.set(meta.uuid, { type, revision: meta.revision, root, name, address, bytes: encoded });
    if (address !== undefined) link(this.byAddress, address, meta.uuid);
    if (name !== undefined) this.byName.set(name, meta.uuid);
    if (root !== undefined) link(this.byRoot, root, meta.uuid);
    const fqName = name === undefined ? undefined : meta.fqName;
    const sure = this.sourceOf(meta.uuid, meta.revision, source);
    this.tell({ type, uuid: meta.uuid, root, fqName, address, deleted: false, source: sure });
  }

  /** @param revision of the deletion; what is known at a later revision stays. */
  remove(uuid: string, revision: bigint, source: ChangeSource): void {
    const known = this.entries.get(uuid);
    if (source === 'own' && revision > this.watched) this.tombstones.set(uuid, revision);
    else if ((this.tombstones.get(uuid) ?? revision) <= revision) this.tombstones.delete(uuid);
    if (known === undefined || known.revision > revision) return;
    this.unlink(uuid, known);
    this.entries.delete(uuid);
    this.tell({ type: known.type, uuid, root: known.root, deleted: true, source: this.sourceOf(uuid, revision, source) });
  }

  /** A change of an object that we are writing counts as ours until `endWrite` knows better. */
  private sourceOf(uuid: string, revision: bigint, source: ChangeSource): ChangeSource {
    const flight = source === 'watch' ? this.inFlight.get(uuid) : undefined;
    if (flight === undefined) return source;
    flight.seen = revision;
    return 'own';
  }

  private unlink(uuid: string, entry: Entry | undefined): void {
    if (entry?.name !== undefined && this.byName.get(entry.name) === uuid) this.byName.delete(entry.name);
    if (entry?.root !== undefined) unlinkFrom(this.byRoot, entry.root, uuid);
    if (entry?.address !== undefined) unlinkFrom(this.byAddress, entry.address, uuid);
  }

  private tell(change: CacheChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

function link(index: Map<string, Set<string>>, key: string, uuid: string): void {
  const members = index.get(key) ?? new Set<string>();
  members.add(uuid);
  index.set(key, members);
}

function unlinkFrom(index: Map<string, Set<string>>, key: string, uuid: string): void {
  const members = index.get(key);
  members?.delete(uuid);
  if (members?.size === 0) index.delete(key);
}

function addressOf({ kind }: Resource): string | undefined {
  const text =
    kind?.$case === 'instanceIp' ? kind.value.instanceIpAddress : kind?.$case === 'aliasIp' ? kind.value.aliasIpAddress : '';
  const address = tryParseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

function nameOf(type: ResourceType, fqName: readonly string[]): string {
  return `${type}/${fqName.join(':')}`;
}
