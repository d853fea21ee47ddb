/** How a namespace is set up by its isolation annotations. */
export type Mode = 'open' | 'isolated' | 'lifted';
export const modes: readonly Mode[] = ['open', 'isolated', 'lifted'];

/** Who calls: a pod of a namespace, or a host-network pod. */
export type Caller = { readonly kind: 'pod'; readonly namespace: string } | { readonly kind: 'node' };

/** Who is called: a pod or the service of a namespace, or a node's address. */
export type Callee =
  | { readonly kind: 'pod'; readonly namespace: string }
  | { readonly kind: 'service'; readonly namespace: string }
  | { readonly kind: 'node' };

/** The mode of each namespace. */
export type Modes = Readonly<Record<string, Mode>>;

/** The reachability matrix of docs/isolation.md for namespaces that share the cluster's addresses, over TCP and UDP. */
export function mayReach(modesNow: Modes, caller: Caller, callee: Callee): boolean {
  if (caller.kind === 'node' || callee.kind === 'node') return true;
  if (caller.namespace === callee.namespace) return true;
  const theirs = modesNow[callee.namespace] ?? 'open';
  if (callee.kind === 'service') return theirs !== 'isolated';
  return theirs === 'open' && (modesNow[caller.namespace] ?? 'open') === 'open';
}

/** The annotations of a mode; null removes one. */
export function annotationsOf(mode: Mode): Record<string, string | null> {
  return {
    'opencontrail.org/isolation': mode === 'open' ? null : 'true',
    'opencontrail.org/isolation.service': mode === 'lifted' ? 'false' : null,
  };
}
