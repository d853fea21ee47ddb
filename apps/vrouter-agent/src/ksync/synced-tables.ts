import type { Datapath, VifValue } from '../datapath/port';
import type { DesiredTables, TableName } from '../oper/desired-tables';
import { tableNames } from '../oper/desired-tables';
import { TableSync } from './table-sync';

type SyncOf<D> = D extends { replace(owner: string, rows: ReadonlyArray<readonly [infer K, infer V]>): void }
  ? TableSync<K, V>
  : never;

export type SyncedTables = { readonly [Name in TableName]: SyncOf<DesiredTables[Name]> };

export function createSyncedTables(datapath: Datapath, desired: DesiredTables): SyncedTables {
  return {
    vrfs: new TableSync(datapath.vrfs, desired.vrfs),
    nextHops: new TableSync(datapath.nextHops, desired.nextHops),
    composites: new TableSync(datapath.composites, desired.composites),
    hostRoutes: new TableSync(datapath.hostRoutes, desired.hostRoutes),
    prefixRoutes: new TableSync(datapath.prefixRoutes, desired.prefixRoutes),
    labelsIn: new TableSync(datapath.labelsIn, desired.labelsIn),
    labelsOut: new TableSync(datapath.labelsOut, desired.labelsOut),
    backends: new TableSync(datapath.backends, desired.backends),
    sourceRanges: new TableSync(datapath.sourceRanges, desired.sourceRanges),
    services: new TableSync(datapath.services, desired.services),
    nodes: new TableSync(datapath.nodes, desired.nodes),
    policies: new TableSync(datapath.policies, desired.policies),
    sources: new TableSync(datapath.sources, desired.sources),
    vifs: new TableSync(datapath.vifs, desired.vifs),
  };
}

/** What a flush changed. */
export interface FlushResult {
  readonly rowsWritten: number;
  readonly rowsRemoved: number;
  /** Live flows must be judged again: verdicts, identities, labels, sources or far ends changed. */
  readonly verdictsChanged: boolean;
  /** VRFs went. */
  readonly vrfsRemoved: boolean;
}

/**
 * Writes what is dirty, what is named by others first: an ECMP next hop after its slots, a service
 * after its backends, a Vif after its policy. Removes in the reverse order.
 *
 * @param fabricVrf VRF of the nodes; 0: not known yet.
 */
export function flushTables(tables: SyncedTables, fabricVrf: number): FlushResult {
  const policiesInUse = tables.policies.isDirty ? new Set([...tables.vifs.rows()].map(([, vif]) => vif.policy)) : new Set<number>();
  let rowsWritten = 0;
  let rowsRemoved = 0;
  let verdictsChanged = false;
  const policyTouched = (policy: number): void => {
    if (policiesInUse.has(policy)) verdictsChanged = true;
  };
  for (const name of tableNames) {
    switch (name) {
      case 'nextHops':
        rowsWritten += tables.nextHops.upsert((value) => value.kind !== 'composite').length;
        break;
      case 'composites':
        rowsWritten += tables.composites.upsert().length + tables.nextHops.upsert().length;
        break;
      case 'policies': {
        const written = tables.policies.upsert();
        for (const { row } of written) policyTouched(row[0].policy);
        rowsWritten += written.length;
        break;
      }
      case 'vifs': {
        const written = tables.vifs.upsert();
        if (written.some(({ row, previous }) => previous && judgedDifferently(previous, row[1]))) {
          verdictsChanged = true;
        }
        rowsWritten += written.length;
        break;
      }
      case 'hostRoutes':
      case 'prefixRoutes':
      case 'labelsIn':
      case 'labelsOut': {
        const written = tables[name].upsert();
        // New rows concern new flows; only what changes under a live one makes it be judged again.
        if (written.some(({ previous }) => previous !== undefined)) verdictsChanged = true;
        rowsWritten += written.length;
        break;
      }
      case 'backends': {
        const written = tables.backends.upsert();
        // The far end of live flows is in another VRF now.
        if (written.some(({ row, previous }) => previous && previous.vrf !== row[1].vrf)) verdictsChanged = true;
        rowsWritten += written.length;
        break;
      }
      case 'vrfs':
      case 'sourceRanges':
      case 'services':
      case 'nodes':
      case 'sources':
        rowsWritten += tables[name].upsert().length;
    }
  }
  let vrfsRemoved = false;
  for (const name of [...tableNames].reverse()) {
    const removed = name === 'hostRoutes' ? removeHostRoutes(tables, fabricVrf, () => (verdictsChanged = true)) : tables[name].remove();
    rowsRemoved += removed.length;
    if (name === 'vrfs') vrfsRemoved = removed.length > 0;
    // Who reached an end only through the service, or by the default route, does not any more.
    if ((name === 'services' || name === 'prefixRoutes') && removed.length > 0) verdictsChanged = true;
    for (const [key] of removed) {
      if (typeof key !== 'object') break;
      if ('policy' in key) policyTouched(key.policy);
      // A Vif that went took its flows with it.
      if ('ifindex' in key && name === 'sources' && tables.vifs.get(key)) verdictsChanged = true;
    }
  }
  return { rowsWritten, rowsRemoved, verdictsChanged, vrfsRemoved };
}

/**
 * @param onLeft called when an end that stays has lost a route, here or on another node: it left the VRF, or the
 *   networks are not joined any more. Of an end that is gone, all routes go at once.
 */
function removeHostRoutes(tables: SyncedTables, fabricVrf: number, onLeft: () => void): ReturnType<SyncedTables['hostRoutes']['remove']> {
  const removed = tables.hostRoutes.remove();
  for (const [{ address }, { nextHop }] of removed) {
    const hop = tables.nextHops.get(nextHop);
    const isInterface = hop?.kind === 'encap' && tables.vifs.get({ ifindex: hop.ifindex, vlan: hop.vlan }) !== undefined;
    // The nodes reach everybody; at home it is known in any case.
    const isElsewhere = [fabricVrf, hop?.vrf ?? 0].some((vrf) => tables.hostRoutes.get({ vrf, address }) !== undefined);
    if (isInterface || isElsewhere) onLeft();
  }
  return removed;
}

function judgedDifferently(before: VifValue, after: VifValue): boolean {
  return (
    before.policy !== after.policy ||
    before.identity !== after.identity ||
    before.vrf !== after.vrf ||
    before.portSecurity !== after.portSecurity
  );
}
