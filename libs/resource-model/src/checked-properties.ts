import { toCamelCase } from './resource';
import { structures } from './schema';
import type { PropertySpec, StructureSpec } from './schema';

/** A property of which a value can be wrong, ready for checking objects one after the other. */
export interface CheckedProperty {
  readonly spec: PropertySpec;
  /** Its name in generated TypeScript. */
  readonly field: string;
  /** What can be wrong inside a structure; undefined for a scalar. */
  readonly inside: readonly CheckedProperty[] | undefined;
}

const structureByName = new Map<string, StructureSpec>(structures.map((spec) => [spec.name, spec]));
const known = new Map<readonly PropertySpec[], readonly CheckedProperty[]>();
/** Lists that are not complete yet: of structures that contain themselves. */
const unfinished = new Set<readonly CheckedProperty[]>();

/** The properties of a list in which anything can be wrong; computed once for each list of the table. */
export function checkedProperties(properties: readonly PropertySpec[]): readonly CheckedProperty[] {
  const ready = known.get(properties);
  if (ready !== undefined) return ready;
  const checked: CheckedProperty[] = [];
  known.set(properties, checked);
  unfinished.add(checked);
  for (const spec of properties) {
    const structure = structureByName.get(spec.kind);
    const inside = structure && checkedProperties(structure.fields);
    if (isRestricted(spec) || isWorthLooking(inside))
      checked.push({ spec, field: toCamelCase(spec.name), inside });
  }
  unfinished.delete(checked);
  return checked;
}

function isRestricted({ required, values, format, range }: PropertySpec): boolean {
  return required || values !== undefined || format !== undefined || range !== undefined;
}

function isWorthLooking(inside: readonly CheckedProperty[] | undefined): boolean {
  return inside !== undefined && (inside.length > 0 || unfinished.has(inside));
}
