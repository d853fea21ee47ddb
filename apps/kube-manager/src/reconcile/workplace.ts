import type { Logger } from '@contrail/telemetry';
import type { NetworkStatus } from '../serve/network-status';
import type { IsolationStatus } from '../serve/isolation-status';
import type { Cluster } from '../translate/cluster';
import type { Complaint } from '../translate/complaint';
import type { KubeWatch } from '../watch/kube-watch';
import type { ResourceCache } from '../watch/resource-cache';
import type { AddressBook } from './address-book';
import type { ComingIsolation } from './coming-isolation';
import type { ReportedAddresses } from './reported-addresses';
import type { TransactionWriter } from './transaction-writer';
import type { WaitingList } from './waiting-list';

/** Everything that the reconcilers read and write. */
export interface Workplace {
  readonly cluster: Cluster;
  readonly kube: KubeView;
  readonly cache: ResourceCache;
  readonly writer: TransactionWriter;
  readonly addresses: AddressBook;
  readonly waiting: WaitingList;
  readonly reported: ReportedAddresses;
  /** Has the root object with this key looked at. */
  readonly enqueue: (key: string) => void;
  readonly coming: ComingIsolation;
  readonly isolationStatus: Pick<IsolationStatus, 'begin' | 'ensure'>;
  readonly networkStatus: Pick<NetworkStatus, 'ensure'>;
  /** A Warning event on a Kubernetes object. */
  readonly complain: (complaint: Complaint) => void;
  readonly log: Logger;
}

/** What the reconcilers ask of Kubernetes. */
export type KubeView = Pick<
  KubeWatch,
  'attachment' | 'namespace' | 'namespaces' | 'node' | 'nodes' | 'pod' | 'pods' | 'service' | 'services' | 'slices'
>;
