import { isDeepStrictEqual } from 'node:util';
import { parseUuid } from '@contrail/net';
import { IdPermsType, PermType2 } from '@contrail/proto-gen/config/v1/resources';
import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import { decodeStructure } from './decode-value';
import type { Answer, Json, JsonObject } from './json';
import { badField, isJsonObject, withoutMembers } from './json';

/** Owner of what no project owns, as in the original. */
export const administratorOwner = 'cloud-admin';
const administratorGroup = 'cloud-admin-group';
const everything = 7;
/** Members of id_perms that clients read and never decide. */
const serverMembers = ['uuid', 'created', 'last_modified'];

/** id_perms complete, as strict clients expect; the halves of the uuid are unsigned 64-bit numbers. */
export function encodeIdPerms({ idPerms, uuid }: Meta): Answer {
  const permissions = idPerms?.permissions;
  const bytes = Buffer.from(parseUuid(uuid));
  return {
    enable: idPerms?.enable ?? true,
    uuid: { uuid_mslong: bytes.readBigUInt64BE(0), uuid_lslong: bytes.readBigUInt64BE(8) },
    created: idPerms?.created ?? '',
    last_modified: idPerms?.lastModified ?? '',
    description: idPerms?.description === '' ? null : (idPerms?.description ?? null),
    creator: idPerms?.creator === '' ? null : (idPerms?.creator ?? null),
    user_visible: idPerms?.userVisible ?? true,
    permissions: {
      owner: permissions?.owner ?? administratorOwner,
      owner_access: permissions?.ownerAccess ?? everything,
      group: permissions?.group ?? administratorGroup,
      group_access: permissions?.groupAccess ?? everything,
      other_access: permissions?.otherAccess ?? everything,
    },
  };
}

/** Who owns an object, and who else may do what with it. */
export function perms2Of({ perms2 }: Meta): PermType2 {
  return (
    perms2 ??
    PermType2.fromPartial({ owner: administratorOwner, ownerAccess: everything, globalAccess: 0 })
  );
}

export function encodePerms2(meta: Meta): Answer {
  const { owner, ownerAccess, globalAccess, share } = perms2Of(meta);
  return {
    owner,
    owner_access: ownerAccess,
    global_access: globalAccess,
    share: share.map(({ tenant, tenantAccess }) => ({ tenant, tenant_access: tenantAccess })),
  };
}

/**
 * id_perms with the given members replaced; uuid and time stamps are never a client's. Members that are
 * as shown change nothing, so an object sent back as it was read stays as it is.
 */
export function mergeIdPerms(meta: Meta, given: Json): IdPermsType | undefined {
  const rest = withoutMembers(newMembers(given, encodeIdPerms(meta), 'id_perms'), serverMembers);
  if (Object.keys(rest).length === 0) return meta.idPerms;
  return IdPermsType.fromPartial({
    ...meta.idPerms,
    ...decodeStructure('IdPermsType', rest, 'id_perms'),
  });
}

/** perms2 with the given members replaced. */
export function mergePerms2(meta: Meta, given: Json): PermType2 | undefined {
  const changes = newMembers(given, encodePerms2(meta), 'perms2');
  if (Object.keys(changes).length === 0) return meta.perms2;
  const merged = PermType2.fromPartial({
    ...perms2Of(meta),
    ...decodeStructure('PermType2', changes, 'perms2'),
  });
  checkAccess('perms2.owner_access', merged.ownerAccess);
  checkAccess('perms2.global_access', merged.globalAccess);
  for (const [i, { tenantAccess }] of merged.share.entries())
    checkAccess(`perms2.share[${i}].tenant_access`, tenantAccess);
  return merged;
}

function checkAccess(field: string, access: number): void {
  if (access > everything) throw badField(field, access, `0 to ${everything}: 4 read, 2 write, 1 refer`);
}

/** The members of a structure that differ from what clients see. */
function newMembers(given: Json, shown: Answer, name: string): JsonObject {
  if (given === null) return {};
  if (!isJsonObject(given)) throw badField(name, given, 'an object');
  const before = shown as Readonly<Record<string, Answer>>;
  return Object.fromEntries(
    Object.entries(given).filter(([key, value]) => !isDeepStrictEqual(value, before[key])),
  );
}
