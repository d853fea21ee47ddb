import type { Address } from '@contrail/net';
import type { ClusterZone } from './cluster-zone';

/** What one group of clients sees: its names, and where other names are asked for. */
export interface View {
  /** `cluster`; later the name of a tenant's network. */
  readonly name: string;
  readonly zone: ClusterZone;
}

/** Chooses a client's view by its address; undefined: the question has no client (an explanation for people). */
export type ViewOf = (client: Address | undefined) => View;
