import { ContrailError } from '@contrail/errors';
import { describeName, specOf } from './resource';
import type { ResourceType } from './resource';

/**
 * fq_name of a child. The root is not part of its children's names, as in the original schema:
 * a domain is `default-domain`, not `config-root:default-domain`.
 */
export function childFqName(
  parent: { readonly type: ResourceType; readonly fqName: readonly string[] } | undefined,
  name: string,
): string[] {
  return parent === undefined || parent.type === 'config-root' ? [name] : [...parent.fqName, name];
}

/** Type of the parent when the type has exactly one possible parent; '' when it has none or several. */
export function onlyParentType(type: ResourceType): ResourceType | '' {
  const { parents } = specOf(type);
  return parents.length === 1 ? (parents[0] as ResourceType) : '';
}

/**
 * fq_name that the parent of an object must have.
 * @throws ContrailError INVALID_ARGUMENT when the name is too short to have a parent.
 */
export function parentFqName(
  type: ResourceType,
  parentType: ResourceType,
  fqName: readonly string[],
): string[] {
  if (parentType === 'config-root') return ['config-root'];
  if (fqName.length >= 2) return fqName.slice(0, -1);
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${describeName(type, fqName)} fq_name: has ${fqName.length} part(s), but a child of a ${parentType} has the name ` +
      "of its parent and one part more; write the parent's fq_name followed by the name",
  );
}

/** What the original refuses in the name of an object; its type's own form comes on top. */
export function reservedNameProblem(type: ResourceType, name: string): string | undefined {
  if (type === 'route-target' || !name.includes(':')) return undefined;
  return `"${name}" contains ":", which separates the parts of names; use another character`;
}

/** True when the fq_name is the parent's and one part more. */
export function isChildName(
  fqName: readonly string[],
  parent: { readonly type: ResourceType; readonly fqName: readonly string[] },
): boolean {
  const name = fqName.at(-1);
  if (name === undefined) return false;
  const expected = childFqName(parent, name);
  return expected.length === fqName.length && expected.every((part, i) => part === fqName[i]);
}
