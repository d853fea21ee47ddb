import { parsePrefix, prefixContains } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { NetworkPolicy } from './network-policy';

/**
 * Prefixes to which rules limit a network, or any network; texts, sorted, each once.
 *
 * @param policies that are attached to whatever network.
 */
export function limitingPrefixes(policies: Iterable<NetworkPolicy>, network: string): string[] {
  const found = new Set<string>();
  for (const { rules } of policies) {
    for (const { sources, destinations } of rules) {
      for (const { networks, prefixes } of [...sources, ...destinations]) {
        if (networks.kind === 'network' && networks.name !== network) continue;
        for (const prefix of prefixes) found.add(prefix);
      }
    }
  }
  return [...found].sort();
}

/** Those of the prefixes that have the address, the narrowest last. */
export function prefixesAt(prefixes: readonly string[], address: Address): string[] {
  return prefixes
    .map((text) => ({ text, prefix: parsePrefix(text) }))
    .filter(({ prefix }) => prefixContains(prefix, address))
    .sort((a, b) => a.prefix.length - b.prefix.length)
    .map(({ text }) => text);
}
