import type { Vif } from '@contrail/proto-gen/agent/v1/messages';
import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { formatUuid } from '@contrail/net';
import type { VifKey, VifValue } from '../datapath/port';
import type { Attachment, AttachmentStore } from '../cni-server/attachment-store';
import { findProgrammed } from '../cni-server/interface-wait';
import type { CniContext } from '../cni-server/cni-context';

/** Every Vif that the datapath holds, and every interface of this node that waits for its device. */
export function listInterfaces(context: CniContext): Vif[] {
  const { datapath, state, attachments } = context;
  const held = datapath.vifs.dump();
  const heldUuids = new Set(held.map(([, value]) => formatUuid(value.uuid)));
  const waiting = state.desired.entries
    .kinds()
    .flatMap((kind) => (kind.$case === 'interface' && kind.value.node === state.desired.self ? [kind.value] : []))
    .filter(({ uuid }) => !heldUuids.has(uuid));
  return [
    ...nodeDevices(context),
    ...held.map(([key, value]) => toVif(context, key, value)),
    ...waiting.map((entry) => ({ ...describeEntry(entry, attachments), status: 'Pending', statusText: 'no device: the CNI plugin has not asked for it' })),
  ];
}

function toVif(context: CniContext, key: VifKey, value: VifValue): Vif {
  const uuid = formatUuid(value.uuid);
  const entry = context.state.desired.entries.findInterface(uuid);
  const described = entry ? describeEntry(entry, context.attachments) : emptyVif;
  const { kind, mac, vrf, identity, policy, portSecurity, mtu, maxFlows } = value;
  const attachment = context.attachments.findByVmi(uuid);
  const common = {
    ...described,
    ...key,
    kind,
    mac: Buffer.from(mac),
    vrf,
    identity,
    policy,
    portSecurity,
    mtu,
    flows: context.datapath.vifFlows(key.ifindex, key.vlan),
    maxFlows,
    device: kind === 'host' ? 'host' : deviceOf(attachment),
    uuid: kind === 'host' ? '' : uuid,
  };
  if (kind === 'host') return { ...common, status: 'Done', statusText: '' };
  if (!context.state.inSync) return { ...common, status: 'Pending', statusText: 'kept from before the restart; control has not spoken yet' };
  const programmed = findProgrammed(context, uuid);
  if ('found' in programmed) return { ...common, status: 'Done', statusText: '' };
  return { ...common, status: 'Error', statusText: programmed.missing };
}

function nodeDevices({ state }: CniContext): Vif[] {
  const { uplinkIfindex, tunnelIfindex, podMtu } = state.desired.local;
  if (uplinkIfindex === 0) return [];
  const device = (kind: string, ifindex: number): Vif => ({ ...emptyVif, kind, device: kind, ifindex, mtu: podMtu, status: 'Done' });
  return [device('uplink', uplinkIfindex), device('tunnel', tunnelIfindex)];
}

function describeEntry(entry: Interface, attachments: AttachmentStore): Vif {
  const { uuid, vlan, podNamespace, podName, podUid, containerInterface, mac, vrf, identity, policy, portSecurity } = entry;
  return {
    ...emptyVif,
    uuid,
    kind: 'pod',
    device: deviceOf(attachments.findByVmi(uuid)),
    vlan,
    podNamespace,
    podName,
    podUid,
    containerInterface,
    mac,
    addresses: entry.addresses.map(({ address }) => address),
    vrf,
    identity,
    policy,
    portSecurity,
  };
}

function deviceOf(attachment: Attachment | undefined): string {
  return attachment?.hostInterface ?? '';
}

const emptyVif: Vif = {
  uuid: '',
  kind: '',
  device: '',
  ifindex: 0,
  vlan: 0,
  podNamespace: '',
  podName: '',
  podUid: '',
  containerInterface: '',
  mac: Buffer.alloc(0),
  addresses: [],
  vrf: 0,
  identity: 0,
  policy: 0,
  portSecurity: false,
  mtu: 0,
  flows: 0,
  maxFlows: 0,
  status: '',
  statusText: '',
};
