import type { CompileContext, CompiledEntry } from './compile-context';
import { toBuffer } from './proto-values';
import { everybody } from './scopes';
import type { UnitOf } from './unit';

/** A node that may send tunnel packets; none as long as it has no address. */
export function compileNode({ model }: CompileContext, unit: UnitOf<'node'>): CompiledEntry | undefined {
  const router = model.find('router by name', unit.name).find(({ addresses }) => addresses.length > 0);
  if (router === undefined) return undefined;
  const value = { name: router.name, uuid: router.uuid, addresses: router.addresses.map(toBuffer) };
  return { scope: everybody, entry: { kind: { $case: 'node', value } } };
}
