import { metaOf, refsOf, specOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { Page, ResourceStore } from '@contrail/store';
import { RestError } from '../http/rest-error';
import type { RestType } from '../wire/rest-types';
import { findTypeInBody } from '../wire/rest-types';
import type { ListQuery } from './list-query';

/** Objects one after the other, with a marker by which to go on. */
export interface ListSource {
  /** @param after '' for the first page. */
  page(after: string, limit: number): Promise<Page>;
}

/** Referrers of one object that a list can find. */
const referrersMax = 100_000;

/** Where the wanted objects are found: the narrowest of what the query names. */
export async function listSources(
  store: ResourceStore,
  type: RestType,
  query: ListQuery,
): Promise<ListSource[]> {
  if (query.uuids !== undefined) return [uuidSource(store, type, query.uuids)];
  if (query.fqNames !== undefined) {
    const names = query.fqNames.map((fqName) => ({ type: type.type, fqName }));
    const uuids = await store.findUuids(names);
    return [uuidSource(store, type, uuids.filter((uuid) => uuid !== undefined))];
  }
  if (query.backRefUuids !== undefined) {
    const uuids = new Set<string>();
    for (const target of query.backRefUuids) {
      for (const kind of ['s', 'w'] as const)
        for (const uuid of await store.dependents(target, kind, referrersMax)) uuids.add(uuid);
    }
    return [uuidSource(store, type, [...uuids])];
  }
  const parents = query.parentUuids;
  if (parents === undefined) return [{ page: (after, limit) => store.list({ type: type.type, after, limit }) }];
  const found = await store.getMany(parents);
  return found.flatMap((parent) => (parent === undefined ? [] : [childSource(store, type, parent)]));
}

function childSource(store: ResourceStore, type: RestType, parent: Resource): ListSource {
  const { uuid, fqName } = metaOf(parent);
  const named = { type: typeOf(parent), uuid, fqName };
  return { page: (after, limit) => store.list({ type: type.type, parent: named, after, limit }) };
}

function uuidSource(store: ResourceStore, type: RestType, uuids: readonly string[]): ListSource {
  const wanted = [...new Set(uuids)];
  return {
    page: async (after, limit) => {
      const from = /^\d{1,9}$/.test(after) ? Number(after) : 0;
      const found = await store.getMany(wanted.slice(from, from + limit));
      const resources = found.filter(
        (resource): resource is Resource => resource !== undefined && typeOf(resource) === type.type,
      );
      return { resources, next: from + limit < wanted.length ? String(from + limit) : '' };
    },
  };
}

/** What an object must be, beyond being in the source. */
export function belongsTo(query: ListQuery): (resource: Resource) => boolean {
  const parents = query.parentUuids && new Set(query.parentUuids);
  const targets = query.backRefUuids && new Set(query.backRefUuids);
  const uuids = query.uuids && new Set(query.uuids);
  const names = query.fqNames && new Set(query.fqNames.map((name) => name.join(':')));
  return (resource) => {
    const { uuid, fqName, parentUuid } = metaOf(resource);
    if (parents !== undefined && !parents.has(parentUuid)) return false;
    if (uuids !== undefined && !uuids.has(uuid)) return false;
    if (names !== undefined && !names.has(fqName.join(':'))) return false;
    return targets === undefined || refsOf(resource).some((reference) => targets.has(reference.uuid));
  };
}

/** A query that names the parent by name, with its uuid instead. @throws RestError 404 */
export async function resolveParent(
  store: ResourceStore,
  type: RestType,
  query: ListQuery,
): Promise<ListQuery> {
  const { parentName, parentType } = query;
  if (parentName === undefined) return query;
  const asked = parentType === undefined ? undefined : findTypeInBody(parentType)?.type;
  const types = (specOf(type.type).parents as readonly ResourceType[]).filter(
    (candidate) => asked === undefined || candidate === asked,
  );
  const found = await store.findUuids(types.map((parent) => ({ type: parent, fqName: parentName })));
  const uuids = found.filter((uuid) => uuid !== undefined);
  if (uuids.length > 0) return { ...query, parentUuids: uuids };
  throw new RestError(
    404,
    `parent_fq_name_str: no ${types.join(' or ')} is named ${parentName.join(':').slice(0, 300)}; check the name`,
  );
}
