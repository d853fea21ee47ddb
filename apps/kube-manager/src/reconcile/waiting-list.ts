import type { ReconcilePending } from '@contrail/reconcile';
import type { ResourceType } from '@contrail/resource-model';

/** Safety net: whatever is waited for is looked at again after this time. */
const lookAgainMs = 10_000;

/** Which root objects wait for what; a topic that comes true makes them dirty. */
export class WaitingList {
  private readonly topics = new Map<string, Set<string>>();
  private readonly byKey = new Map<string, Set<string>>();

  constructor(private readonly wakeUp: (key: string) => void) {}

  /** An object of the resource model. */
  static object(uuid: string): string {
    return `object/${uuid}`;
  }

  /** A namespace that Kubernetes has not told us of. */
  static namespace(name: string): string {
    return `namespace/${name}`;
  }

  /** An object with this name, of a type that others make, too. */
  static named(type: ResourceType, fqName: readonly string[]): string {
    return `named/${type}/${fqName.join(':')}`;
  }

  /** A pod with this address, in canonical text. */
  static endpoint(address: string): string {
    return `endpoint/${address}`;
  }

  /** The pods and services of a namespace live by another isolation than before. */
  static isolation(namespace: string): string {
    return `isolation/${namespace}`;
  }

  /** A free address of a network. */
  static address(networkUuid: string): string {
    return `address/${networkUuid}`;
  }

  /** Running pods have the addresses that they report. */
  static readonly reportedAddresses = 'reported-addresses';

  /** The key is woken when the topic comes true; it may go on meanwhile. */
  note(key: string, topic: string): void {
    const keys = this.topics.get(topic) ?? new Set<string>();
    keys.add(key);
    this.topics.set(topic, keys);
    const topics = this.byKey.get(key) ?? new Set<string>();
    topics.add(topic);
    this.byKey.set(key, topics);
  }

  /** The key is looked at anew and will say again what it waits for. */
  forget(key: string): void {
    for (const topic of this.byKey.get(key) ?? []) {
      const keys = this.topics.get(topic);
      keys?.delete(key);
      if (keys?.size === 0) this.topics.delete(topic);
    }
    this.byKey.delete(key);
  }

  /** As `note`, for a key that cannot go on without. */
  wait(key: string, topic: string, sentence: string): ReconcilePending {
    this.note(key, topic);
    return { pending: sentence, retryAfterMs: lookAgainMs };
  }

  /** @param max how many of those who wait can go on: the first ones are woken. */
  cameTrue(topic: string, max = Number.POSITIVE_INFINITY): void {
    const keys = this.topics.get(topic);
    if (keys === undefined) return;
    let left = max;
    for (const key of [...keys]) {
      if (left <= 0) break;
      left -= 1;
      keys.delete(key);
      this.byKey.get(key)?.delete(topic);
      this.wakeUp(key);
    }
    if (keys.size === 0) this.topics.delete(topic);
  }
}
