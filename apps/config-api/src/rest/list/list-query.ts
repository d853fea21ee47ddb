import { ContrailError } from '@contrail/errors';
import { isUuid } from '@contrail/resource-model';
import { badField, isJsonObject, jsonTypeOf } from '../wire/json';
import type { Json, JsonObject } from '../wire/json';
import { fieldsOfQuery } from '../objects/read-object';
import { parseFilters } from './filters';
import type { Filters } from './filters';

/** What a client wants to be listed, the same from a query and from a bulk request. */
export interface ListQuery {
  readonly parentUuids: readonly string[] | undefined;
  readonly parentName: readonly string[] | undefined;
  readonly parentType: string | undefined;
  readonly backRefUuids: readonly string[] | undefined;
  readonly uuids: readonly string[] | undefined;
  readonly fqNames: readonly (readonly string[])[] | undefined;
  readonly fields: ReadonlySet<string> | undefined;
  readonly filters: Filters;
  readonly detail: boolean;
  readonly count: boolean;
  /** Also what is shared with the user's projects, wherever it is. */
  readonly shared: boolean;
  readonly excludeHrefs: boolean;
  readonly marker: string;
  /** undefined: everything. */
  readonly limit: number | undefined;
}

/** Values of a parameter; several when it is repeated. */
type Parameters = (name: string) => readonly string[];

export function queryParameters(query: URLSearchParams): Parameters {
  return (name) => query.getAll(name);
}

/** Parameters in the body of a bulk request: texts, numbers, booleans, lists of texts. */
export function bodyParameters(body: JsonObject): Parameters {
  return (name) => {
    const value = body[name];
    if (value === undefined || value === null) return [];
    if (name === 'filters' && isJsonObject(value)) return filtersOfObject(value);
    if (Array.isArray(value)) return value.map((item: Json) => toText(name, item));
    return [toText(name, value)];
  };
}

function filtersOfObject(filters: JsonObject): string[] {
  return Object.entries(filters).flatMap(([key, value]) =>
    (Array.isArray(value) ? (value as readonly Json[]) : [value]).map(
      (wanted) => `${key}==${JSON.stringify(wanted)}`,
    ),
  );
}

function toText(name: string, value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new ContrailError('INVALID_ARGUMENT', `${name}: is ${jsonTypeOf(value)}, but it must be a text`);
}

/** @throws ContrailError INVALID_ARGUMENT that names the parameter. */
export function parseListQuery(parameters: Parameters): ListQuery {
  const list = (name: string): string[] | undefined => {
    const values = parameters(name);
    if (values.length === 0) return undefined;
    return values.flatMap((value) => value.split(',')).map((value) => value.trim()).filter((value) => value !== '');
  };
  const text = (...names: readonly string[]): string | undefined =>
    names.flatMap((name) => parameters(name)).find((value) => value !== '');
  const isTrue = (name: string): boolean => text(name)?.toLowerCase() === 'true';
  return {
    parentUuids: uuidList('parent_id', list('parent_id')),
    parentName: text('parent_fq_name_str')?.split(':'),
    parentType: text('parent_type'),
    backRefUuids: uuidList('back_ref_id', list('back_ref_id')),
    uuids: uuidList('obj_uuids', list('obj_uuids')),
    fqNames: list('fq_names')?.map((name) => name.split(':')),
    fields: fieldsOfQuery(parameters('fields')),
    filters: parseFilters(parameters('filters').join(',')),
    detail: isTrue('detail'),
    count: isTrue('count'),
    shared: isTrue('shared'),
    excludeHrefs: parameters('exclude_hrefs').length > 0,
    marker: text('pageMarker', 'page_marker') ?? '',
    limit: parseLimit(text('pageLimit', 'page_limit')),
  };
}

function uuidList(name: string, values: string[] | undefined): string[] | undefined {
  return values?.map((value) => {
    const uuid = value.toLowerCase();
    if (!isUuid(uuid)) throw badField(name, value, 'a list of UUIDs joined by commas');
    return uuid;
  });
}

function parseLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw badField('pageLimit', text, 'a whole number from 1');
}
