/** Shares of a node's flow table where the resource model does not say a number. */

/** An interface may fill a quarter with connections that it begins. */
export function interfaceQuota(configured: number, flowCapacity: number): number {
  return configured === 0 ? Math.floor(flowCapacity / 4) : configured;
}

/** A tenant's network half; the cluster's own have no limit (0). */
export function networkQuota(
  { maxFlows, tenant }: { readonly maxFlows: number; readonly tenant: boolean },
  flowCapacity: number,
): number {
  if (maxFlows !== 0) return maxFlows;
  return tenant ? Math.floor(flowCapacity / 2) : 0;
}
