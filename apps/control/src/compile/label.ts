import type { Network } from '../topology/topology';
import type { CompileContext, CompiledEntry } from './compile-context';
import { toAddressSpace } from './proto-values';
import { everybody, vrfScope } from './scopes';
import type { UnitOf } from './unit';

/** The tunnel label of senders with one identity into one VRF, for senders and receivers alike. */
export function compileLabel(context: CompileContext, unit: UnitOf<'label'>): CompiledEntry | undefined {
  const { topology, ids } = context;
  const receiver = topology.byInstance(unit.instance);
  const sender = topology.byIdentity(unit.identity)?.network;
  if (receiver === undefined || sender === undefined || !isConnected(context, receiver, sender)) return undefined;
  const vrf = ids.get('vrf', receiver.instance);
  const senderVrf = ids.get('vrf', sender.instance);
  const identity = ids.get('identity', unit.identity);
  const label = ids.label(unit.instance, unit.identity);
  if (vrf === undefined || identity === undefined || label === undefined || senderVrf === undefined) return undefined;
  // Nodes reach every interface, and whoever sends to a VRF needs its label: nothing else says that nodes do.
  const isByAlias = sender.isFabric && sender !== receiver && !sender.joined.has(receiver.uuid);
  const scope = isByAlias ? everybody : vrfScope(unit.instance);
  const value = { label, vrf, identity, senderVrf, senderAddressSpace: toAddressSpace(sender) };
  return { scope, entry: { kind: { $case: 'label', value } } };
}

/** Whether packets, or the answers to them, go from one network to the other: by route, by a service, or by an alias from a node. */
function isConnected({ reach }: CompileContext, a: Network, b: Network): boolean {
  if ((a.isFabric && b.isPopulated) || (b.isFabric && a.isPopulated)) return true;
  return a === b || a.joined.has(b.uuid) || reach.has(a.instance, b.instance) || reach.has(b.instance, a.instance);
}
