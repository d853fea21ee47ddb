import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import { badField, isJsonObject } from './json';
import type { Answer, Json } from './json';
import { encodeValue } from './encode-value';
import type { RestType } from './rest-types';

/** Annotations that this API keeps for itself; clients neither see nor write them. */
const hiddenPrefix = 'rest.opencontrail.org/';
/** Under this prefix clients see, but cannot write, what the original schema has no field for. */
export const grpcOnlyPrefix = 'grpc.opencontrail.org/';

export function hiddenKey(name: string): string {
  return `${hiddenPrefix}${name}`;
}

/** True for a key that is the server's: what a client sends under it is ignored. */
export function isServerKey(key: string): boolean {
  return key.startsWith(hiddenPrefix) || key.startsWith(grpcOnlyPrefix);
}

/** `{"key_value_pair": [...]}` sorted by key; undefined without annotations. */
export function encodeAnnotations(
  meta: Meta,
  type: RestType,
  fields: Readonly<Record<string, unknown>>,
): Answer | undefined {
  const pairs = Object.entries(meta.annotations)
    .filter(([key]) => !isServerKey(key))
    .map(([key, value]) => ({ key, value }));
  for (const { name, field, spec } of type.grpcOnly) {
    const value = encodeValue(spec, fields[field]);
    if (value === undefined) continue;
    pairs.push({
      key: `${grpcOnlyPrefix}${name}`,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    });
  }
  if (pairs.length === 0) return undefined;
  return { key_value_pair: pairs.sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

/**
 * What a client wants the annotations to be. @throws ContrailError INVALID_ARGUMENT
 */
export function decodeAnnotations(value: Json): Record<string, string> {
  if (value === null) return {};
  if (!isJsonObject(value)) throw badField('annotations', value, 'an object with key_value_pair');
  const pairs = value['key_value_pair'] ?? [];
  if (!Array.isArray(pairs)) throw badField('annotations.key_value_pair', pairs, 'a list');
  const annotations: Record<string, string> = {};
  for (const [i, pair] of (pairs as readonly Json[]).entries()) {
    const { key, text } = decodePair(pair, `annotations.key_value_pair[${i}]`);
    if (!isServerKey(key)) annotations[key] = text;
  }
  return annotations;
}

/** One `{"key": …, "value": …}`; no value is an empty one. */
export function decodePair(pair: Json, path: string): { key: string; text: string } {
  if (!isJsonObject(pair)) throw badField(path, pair, 'an object with key and value');
  const { key = null, value = null, ...others } = pair;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    throw badField(`${path}.${unknown}`, others[unknown], 'absent; a pair has key and value');
  }
  if (typeof key !== 'string' || key === '') throw badField(`${path}.key`, key, 'a text');
  if (value !== null && typeof value !== 'string') throw badField(`${path}.value`, value, 'a text');
  return { key, text: value ?? '' };
}

/** The annotations after a client replaced all of its own. */
export function replaceAnnotations(
  before: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(before).filter(([key]) => isServerKey(key));
  return { ...given, ...Object.fromEntries(kept) };
}
