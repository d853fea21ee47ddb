import type { CompileContext, CompiledEntry } from './compile-context';
import { everybody } from './scopes';
import type { UnitOf } from './unit';

/** Names an identity for people: the virtual network (later its tags and groups as well). */
export function compileIdentity({ topology, ids }: CompileContext, unit: UnitOf<'identity'>): CompiledEntry | undefined {
  const owner = topology.byIdentity(unit.text);
  const id = ids.get('identity', unit.text);
  if (owner === undefined || id === undefined) return undefined;
  const { network, part } = owner;
  const name = part.prefix === '' ? network.name : `${network.name} ${part.prefix}`;
  return { scope: everybody, entry: { kind: { $case: 'identity', value: { id, name } } } };
}
