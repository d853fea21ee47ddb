import { metaOf, typeOf } from '@contrail/resource-model';
import { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiler } from '../src/engine/compiler';
import type { ObjectChange } from '../src/engine/compiler';
import { EntryTable } from '../src/engine/entry-table';
import type { ModelType } from '../src/model/model-object';
import { toModelObject } from '../src/model/to-model-object';
import type { Topology } from '../src/topology/topology';
import { settle, TestIds } from './settle';

export const testSettings = {
  clusterName: 'k8s',
  clusterPodNetwork: 'default-domain:k8s-default:k8s-default-pod-network',
  clusterServiceNetwork: 'default-domain:k8s-default:k8s-default-service-network',
  essentialServices: ['default/kubernetes', 'kube-system/kube-dns'],
};

type EntryKind = NonNullable<Entry['kind']>;
type ValueOf<K extends EntryKind['$case']> = Extract<EntryKind, { $case: K }>['value'];

export function createdObject(resource: Resource): ObjectChange {
  return { type: typeOf(resource) as ModelType, uuid: metaOf(resource).uuid, object: toModelObject(resource) };
}

/** A compiler with its table, brought up to date with resources at once. */
export class Compiled {
  readonly table = new EntryTable();
  readonly compiler = new Compiler(testSettings, this.table);
  readonly ids = new TestIds();

  constructor(resources: readonly Resource[]) {
    this.put(resources);
  }

  put(resources: readonly Resource[]): void {
    settle(this.compiler, this.table, { changes: resources.map(createdObject), ids: this.ids });
  }

  get topology(): Topology {
    return this.compiler.topology;
  }

  /** Number of the VRF of a network. */
  vrf(networkUuid: string): number {
    const instance = this.topology.networks.get(networkUuid)?.instance ?? '';
    return this.compiler.ids.get('vrf', instance) ?? 0;
  }

  /** Entries of a kind, in order of their units. */
  find<K extends EntryKind['$case']>(kind: K): ValueOf<K>[] {
    return [...this.table.values()]
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ bytes }) => Entry.decode(bytes))
      .flatMap((entry) => (entry.kind?.$case === kind ? [entry.kind.value as ValueOf<K>] : []));
  }
}
