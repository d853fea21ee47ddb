import type { InterfaceObject, ListenerObject, MemberObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { CompileContext } from './compile-context';
import { hostsAt } from './hosts-at';

type Around = Pick<CompileContext, 'model' | 'topology'>;

/** Who is behind a member. */
export interface BackendHome {
  /** In whose VRF the member's address is looked up. */
  readonly network: Network;
  /** Undefined for an endpoint that is no pod of ours. */
  readonly interface: InterfaceObject | undefined;
}

/** A pod's backend is looked up in the pod's own VRF, any other among the nodes. */
export function backendHome(around: Around, member: MemberObject): BackendHome | undefined {
  const { model, topology } = around;
  const vmi = model.get('virtual-machine-interface', member.interfaceUuid) ?? findInterface(around, member);
  const network = (vmi && topology.networks.get(vmi.networkUuid)) ?? topology.fabric;
  return network && { network, interface: vmi };
}

/** The interface of the member's pod that has the member's address. */
function findInterface({ model }: Around, member: MemberObject): InterfaceObject | undefined {
  if (member.machineUuid === '') return undefined;
  return hostsAt(model, member.address)
    .map((host) => host.interface)
    .find(({ machineUuid }) => machineUuid === member.machineUuid);
}

/** Every member of a port, those that take no traffic too, in order of uuid. */
export function membersOf({ model }: Pick<CompileContext, 'model'>, listener: ListenerObject): MemberObject[] {
  return model
    .find('pool by listener', listener.uuid)
    .flatMap((pool) => model.find('member by pool', pool.uuid))
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
}
