import type { TrafficPath } from '../traffic';

/** Namespaces with a way to send packets between them. */
export interface Rig {
  readonly paths: readonly TrafficPath[];
  /** Namespaces in which a server is to run. */
  readonly serverNetns: readonly string[];
  close(): Promise<void>;
}
