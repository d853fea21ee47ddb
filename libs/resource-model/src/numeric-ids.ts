/** Numeric ids: which numbers each space has. Equal numbers of one space are never held twice. */
export type IdSpace = FixedSpace | TagValueSpace;

type FixedSpace =
  'label' | 'identity' | 'policy' | 'vrf' | 'route-target' | 'security-group' | 'tag-type';

/** Values of one tag type, by the number of the type. */
export type TagValueSpace = `tag-value/${number}`;

/** R21 counts automatic route targets and security groups from here; smaller numbers are the user's. */
export const firstAutomaticId = 8_000_000;

export interface IdRange {
  readonly first: number;
  readonly last: number;
}

const max16 = 2 ** 16 - 1;
const max23 = 2 ** 23 - 1;
const max24 = 2 ** 24 - 1;
const max32 = 2 ** 32 - 1;

/** R21 keeps smaller numbers for the tag types that it defines. */
const firstUserTagType = 256;

/** `label` holds the base VNI of every network too: both are VXLAN identifiers, of which the datapath keeps the highest bit. */
const fixedRanges: Readonly<Record<FixedSpace, IdRange>> = {
  label: { first: 1, last: max23 },
  identity: { first: 1, last: max24 },
  policy: { first: 1, last: max32 },
  vrf: { first: 1, last: max24 },
  'route-target': { first: firstAutomaticId, last: max32 },
  'security-group': { first: firstAutomaticId, last: max32 },
  'tag-type': { first: firstUserTagType, last: max16 },
};

export function idRangeOf(space: IdSpace): IdRange {
  return isTagValueSpace(space) ? { first: 1, last: max16 } : fixedRanges[space];
}

function isTagValueSpace(space: IdSpace): space is TagValueSpace {
  return space.startsWith('tag-value/');
}
