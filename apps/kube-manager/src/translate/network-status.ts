import { formatAddress } from '@contrail/net';
import type { ObjectReference } from './cluster';
import type { AllocatedAddress } from './pod';

/** What a pod on a custom network has; its own addresses before its aliases. */
export interface PodAttachment {
  readonly network: ObjectReference;
  readonly addresses: readonly AllocatedAddress[];
  readonly aliases: readonly AllocatedAddress[];
}

/**
 * The annotation `k8s.v1.cni.cncf.io/network-status` of a pod on a custom network. Kubernetes shows the alias alone, so this
 * says by which address the network knows the pod.
 */
export function networkStatusText({ network, addresses, aliases }: PodAttachment): string {
  const ips = [...addresses, ...aliases].map(({ address }) => formatAddress(address));
  return JSON.stringify([{ name: network.fqName.join(':'), interface: 'eth0', ips, default: true, dns: {} }]);
}

/** Addresses that a pod has on its network by what we wrote before; empty when it says nothing of that network. */
export function statusAddresses(text: string | undefined, network: ObjectReference): string[] {
  const entries = parseList(text);
  const entry = entries.find((candidate) => candidate['default'] === true && candidate['name'] === network.fqName.join(':'));
  const ips: unknown = entry?.['ips'];
  return Array.isArray(ips) ? ips.filter((ip) => typeof ip === 'string') : [];
}

function parseList(text: string | undefined): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter((entry): entry is Record<string, unknown> => typeof entry === 'object' && entry !== null) : [];
  } catch {
    return [];
  }
}
