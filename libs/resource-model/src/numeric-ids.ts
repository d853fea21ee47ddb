/** Numeric ids: which numbers each space has. Equal numbers of one space are never held twice. */
export type IdSpace = 'label' | 'identity' | 'policy' | 'vrf' | 'route-target' | 'security-group';

/** R21 counts automatic route targets and security groups from here; smaller numbers are the user's. */
export const firstAutomaticId = 8_000_000;

export interface IdRange {
  readonly first: number;
  readonly last: number;
}

const max24 = 2 ** 24 - 1;
const max32 = 2 ** 32 - 1;

/** `label` holds the base VNI of every network too: both are 24-bit VXLAN identifiers. */
export const idRanges: Readonly<Record<IdSpace, IdRange>> = {
  label: { first: 1, last: max24 },
  identity: { first: 1, last: max24 },
  policy: { first: 1, last: max32 },
  vrf: { first: 1, last: max24 },
  'route-target': { first: firstAutomaticId, last: max32 },
  'security-group': { first: firstAutomaticId, last: max32 },
};
