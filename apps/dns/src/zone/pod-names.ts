import { addressKey, tryParseAddress, type Address } from '@contrail/net';
import type { PodRecord } from './kube-records';

/**
 * How `a-b-c-d.namespace.pod.zone` is answered. `insecure`, as kubeadm installs it: with the address in the name, when
 * the namespace exists. `verified`: when a pod of the namespace has that address.
 */
export const podRecordModes = ['disabled', 'insecure', 'verified'] as const;
export type PodRecordMode = (typeof podRecordModes)[number];

/** `172-0-0-2` or `5678-abcd--1` as an address; undefined for other labels. */
export function parsePodLabel(label: string): Address | undefined {
  const v4 = /^\d{1,3}(-\d{1,3}){3}$/.test(label);
  if (!v4 && !/^[0-9a-f-]*-[0-9a-f-]*$/.test(label)) return undefined;
  return tryParseAddress(label.replaceAll('-', v4 ? '.' : ':'));
}

/** Which namespaces have a pod with which address. */
export class PodAddresses {
  readonly #pods = new Map<string, PodRecord>();
  readonly #counts = new Map<string, number>();

  set(key: string, pod: PodRecord): void {
    this.remove(key);
    this.#pods.set(key, pod);
    this.#count(pod, 1);
  }

  remove(key: string): void {
    const known = this.#pods.get(key);
    if (known === undefined) return;
    this.#pods.delete(key);
    this.#count(known, -1);
  }

  has(namespace: string, address: Address): boolean {
    return this.#counts.has(`${namespace}/${addressKey(address)}`);
  }

  #count(pod: PodRecord, by: number): void {
    for (const address of pod.addresses) {
      const place = `${pod.namespace}/${addressKey(address)}`;
      const count = (this.#counts.get(place) ?? 0) + by;
      if (count > 0) this.#counts.set(place, count);
      else this.#counts.delete(place);
    }
  }
}
