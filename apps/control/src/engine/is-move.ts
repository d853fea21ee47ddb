import { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { Backend, Interface, Route, Service } from '@contrail/proto-gen/control/v1/messages';
import type { EntryRecord } from './entry-record';

/**
 * Whether packets are looked up in another VRF, or sent under another identity, by the new state of an entry: then
 * receivers have to know the new labels and routes before it takes effect.
 */
export function isMove(before: EntryRecord, after: EntryRecord): boolean {
  const [old, now] = [before, after].map(({ bytes }) => Entry.decode(bytes).kind);
  if (old?.$case === 'interface' && now?.$case === 'interface') return movesInterface(old.value, now.value);
  if (old?.$case === 'route' && now?.$case === 'route') return movesRoute(old.value, now.value);
  if (old?.$case === 'service' && now?.$case === 'service') return movesBackend(old.value, now.value);
  return false;
}

function movesInterface(before: Interface, after: Interface): boolean {
  return before.vrf !== after.vrf || before.identity !== after.identity;
}

/** The interface behind the route is in another VRF, or has another identity. */
function movesRoute(before: Route, after: Route): boolean {
  const [old, now] = [vrfsOf(before), vrfsOf(after)];
  return old !== '' && now !== '' && (old !== now || before.identity !== after.identity);
}

/** VRFs of the interfaces to which a route leads; empty: to something else. */
function vrfsOf({ paths }: Route): string {
  const vrfs = paths.flatMap(({ nextHop }) => (nextHop?.$case === 'interface' ? [nextHop.value.vrf] : []));
  return [...new Set(vrfs)].sort((a, b) => a - b).join(' ');
}

/** A backend that stays one is in another VRF. */
function movesBackend(before: Service, after: Service): boolean {
  const nameOf = ({ address, port }: Backend): string => `${address.toString('hex')} ${port}`;
  const vrfs = new Map(before.backends.map((backend) => [nameOf(backend), backend.vrf]));
  return after.backends.some((backend) => (vrfs.get(nameOf(backend)) ?? backend.vrf) !== backend.vrf);
}
