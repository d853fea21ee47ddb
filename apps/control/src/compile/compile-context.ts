import type { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { Model } from '../model/model';
import type { Topology } from '../topology/topology';
import type { NumericIds } from './numeric-ids';
import type { ServiceReach } from './service-reach';

/** Everything that compilation reads. */
export interface CompileContext {
  readonly model: Model;
  readonly topology: Topology;
  readonly ids: NumericIds;
  readonly reach: ServiceReach;
  readonly settings: CompileSettings;
}

export interface CompileSettings {
  readonly clusterName: string;
  /** fq_name joined by colons of the network that cluster pods live in. */
  readonly clusterPodNetwork: string;
  /** The same of the network of cluster services. */
  readonly clusterServiceNetwork: string;
  /** "namespace/name" of the Services that are reachable from every network: cluster DNS and the API server. */
  readonly essentialServices: readonly string[];
}

/** What one unit compiles to. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Which nodes get it; see scopes.ts. */
  readonly scope: string;
  /** What a node that has the entry needs beside it. */
  readonly interest?: Interest;
}

export interface Interest {
  /** VRF in which packets of this interface are looked up first. */
  readonly lookup?: string;
  readonly policy?: string;
  /** VRFs in which packets are looked up after translation. */
  readonly backends?: readonly string[];
}
