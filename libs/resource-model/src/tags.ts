import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { wellKnownUuid } from './identity';
import type { TagValueSpace } from './numeric-ids';
import { findMessage, metaOf, toResource, withFields } from './resource';

/** Tag types of R21 with the numbers that they have in a datapath; all others are numbered on demand. */
export const predefinedTagTypes: ReadonlyMap<string, number> = new Map([
  ['label', 0],
  ['application', 1],
  ['tier', 2],
  ['deployment', 3],
  ['site', 4],
  ['neutron_fwaas', 5],
  ['neutron_tag', 6],
]);

/** Type and value of a tag's name `type=value`; undefined when it has no such form. */
export function parseTagName(name: string): { type: string; value: string } | undefined {
  const separator = name.indexOf('=');
  if (separator <= 0 || separator === name.length - 1) return undefined;
  return { type: name.slice(0, separator), value: name.slice(separator + 1) };
}

/** The TagType of a name; its number is set when it is predefined. */
export function tagTypeNamed(name: string): Resource {
  const number = predefinedTagTypes.get(name);
  return toResource('tag-type', {
    meta: { uuid: wellKnownUuid('tag-type', [name]), fqName: [name] },
    ...(number === undefined ? {} : { tagTypeId: hexadecimal(number, 4) }),
  });
}

/** The TagType with its number. */
export function withTagTypeNumber(tagType: Resource, number: number): Resource {
  return withFields(tagType, { tagTypeId: hexadecimal(number, 4) });
}

/** Number of a TagType; undefined before it was set. */
export function tagTypeNumber(tagType: Resource): number | undefined {
  const id = findMessage('tag-type', tagType)?.tagTypeId ?? '';
  return id === '' ? undefined : Number(id);
}

/** The Tag with its number: the type above, the value in the low 16 bits. It refers to its type. */
export function withTagNumber(
  tag: Resource,
  tagType: Resource,
  number: { readonly type: number; readonly value: number },
): Resource {
  const { uuid, fqName } = metaOf(tagType);
  return withFields(tag, {
    tagId: hexadecimal(number.type * 65_536 + number.value, 8),
    tagTypeRefs: [{ uuid, fqName }],
  });
}

/** The space from which a tag's value number came; undefined before it has one. */
export function tagValueSpace(tag: Resource): TagValueSpace | undefined {
  const id = findMessage('tag', tag)?.tagId ?? '';
  return id === '' ? undefined : `tag-value/${Math.floor(Number(id) / 65_536)}`;
}

function hexadecimal(number: number, digits: number): string {
  return `0x${number.toString(16).padStart(digits, '0')}`;
}
