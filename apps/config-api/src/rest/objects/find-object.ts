import { ContrailError } from '@contrail/errors';
import { isUuid, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import type { RestType } from '../wire/rest-types';

/** @throws ContrailError NOT_FOUND, also for an object of another type. */
export async function getObject(
  store: ResourceStore,
  type: RestType | undefined,
  uuid: string,
): Promise<Resource> {
  const wanted = uuid.toLowerCase();
  const [found] = isUuid(wanted) ? await store.getMany([wanted]) : [];
  if (found !== undefined && (type === undefined || typeOf(found) === type.type)) return found;
  throw new ContrailError(
    'NOT_FOUND',
    `No ${type?.name ?? 'object'} ${uuid.slice(0, 80)}: it does not exist; check the uuid and the type`,
  );
}

/** @throws ContrailError NOT_FOUND */
export async function getObjectByName(
  store: ResourceStore,
  type: RestType,
  fqName: readonly string[],
): Promise<Resource> {
  const [uuid] = await store.findUuids([{ type: type.type, fqName }]);
  const [found] = uuid === undefined ? [] : await store.getMany([uuid]);
  if (found !== undefined) return found;
  throw new ContrailError(
    'NOT_FOUND',
    `Name ${fqName.join(':').slice(0, 300)} of type ${type.name} not found; check the name`,
  );
}
