import { ContrailError } from '@contrail/errors';
import {
  describe,
  fieldsOf,
  metaOf,
  referenceField,
  setMeta,
  specOf,
  structures,
  toCamelCase,
  typeOf,
  withFields,
} from '@contrail/resource-model';
import { IdPermsType, PermType2 } from '@contrail/proto-gen/config/v1/resources';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

type Fields = Readonly<Record<string, unknown>>;

/** Parts of meta that may change; identity and place in the tree may not. */
const changeableMeta = ['annotations', 'display_name', 'id_perms', 'perms2'];

/**
 * The stored object with the masked fields taken from the given one. Paths have one or two parts:
 * `security_group_entries`, `virtual_network_properties.forwarding_mode`, `meta.annotations`.
 *
 * @throws ContrailError INVALID_ARGUMENT for a path that names no field that can change.
 */
export function applyMask(stored: Resource, given: Resource, mask: readonly string[]): Resource {
  return mask.reduce((result, path) => {
    const [field = '', part, ...rest] = path.split('.');
    if (rest.length > 0) throw unknownPath(stored, path, 'has more than two parts');
    if (field === 'meta') return applyMeta(result, given, { path, part });
    const target = fieldOf(stored, field, path);
    const from = fieldsOf(given);
    if (part === undefined) return withFields(result, { [target.name]: from[target.name] });
    const structure = structures.find(({ name }) => name === target.structure);
    if (structure?.fields.some(({ name }) => name === part) !== true) {
      throw unknownPath(stored, path, `${field} has no field ${part} that can change by itself`);
    }
    const to = fieldsOf(result);
    const before = (to[target.name] ?? from[target.name] ?? {}) as Fields;
    const after = (from[target.name] ?? {}) as Fields;
    const name = toCamelCase(part);
    return withFields(result, { [target.name]: { ...before, [name]: after[name] } });
  }, stored);
}

function applyMeta(
  result: Resource,
  given: Resource,
  at: { path: string; part: string | undefined },
): Resource {
  const from = metaOf(given);
  const meta = metaOf(result);
  switch (at.part) {
    case 'annotations':
      return setMeta(result, { ...meta, annotations: from.annotations });
    case 'display_name':
      return setMeta(result, { ...meta, displayName: from.displayName });
    case 'id_perms':
      return setMeta(result, {
        ...meta,
        idPerms: from.idPerms && IdPermsType.fromPartial(from.idPerms),
      });
    case 'perms2':
      return setMeta(result, {
        ...meta,
        perms2: from.perms2 && PermType2.fromPartial(from.perms2),
      });
    default:
      throw unknownPath(
        result,
        at.path,
        `of meta only ${changeableMeta.join(', ')} can change; write meta.annotations`,
      );
  }
}

/** TypeScript name of a property or of a list of references, and its structure when it has one. */
function fieldOf(
  resource: Resource,
  field: string,
  path: string,
): { name: string; structure: string | undefined } {
  const spec = specOf(typeOf(resource));
  const property = spec.properties.find(({ name }) => name === field);
  if (property !== undefined) {
    return { name: toCamelCase(field), structure: property.repeated ? undefined : property.kind };
  }
  const reference = spec.references.find(({ to }) => `${to.replaceAll('-', '_')}_refs` === field);
  if (reference !== undefined) return { name: referenceField(reference), structure: undefined };
  throw unknownPath(resource, path, `a ${spec.name} has no field ${field}`);
}

function unknownPath(resource: Resource, path: string, cause: string): ContrailError {
  return new ContrailError(
    'INVALID_ARGUMENT',
    `${describe(resource)} update_mask: "${path}": ${cause}`,
  );
}
