/**
 * Entries that the same nodes need form a scope; nodes subscribe to scopes. Listed in the order in
 * which a snapshot sends them, so that nothing refers to what comes later.
 */
const scopeOrder = ['all', 'policy', 'vrf', 'node', 'routes', 'services'] as const;

export type ScopeKind = (typeof scopeOrder)[number];

export const everybody = 'all';

export function policyScope(text: string): string {
  return `policy/${text}`;
}

/** The Vrf entry and the labels of its receivers. */
export function vrfScope(instance: string): string {
  return `vrf/${instance}`;
}

/** Interfaces of a node. */
export function nodeScope(name: string): string {
  return `node/${name}`;
}

export function routesScope(instance: string): string {
  return `routes/${instance}`;
}

export function servicesScope(instance: string): string {
  return `services/${instance}`;
}

/** Order of scopes in a snapshot. */
export function scopeRank(scope: string): number {
  return scopeOrder.indexOf(scope.split('/', 1)[0] as ScopeKind);
}
