import { randomBytes } from 'node:crypto';
import { ContrailError } from '@contrail/errors';

/** A parsed JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What an answer is made of; a bigint becomes a JSON number with all its digits. */
export type Answer =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Answer[]
  | { readonly [key: string]: Answer | undefined };

/** No client can write this prefix: it is drawn when the process starts. */
const bigintMark = `bigint-${randomBytes(12).toString('hex')}:`;
const markedBigint = new RegExp(`"${bigintMark}(-?\\d+)"`, 'g');

export function toJsonText(answer: Answer): string {
  let marked = false;
  const text = JSON.stringify(answer, (_, value: unknown) => {
    if (typeof value !== 'bigint') return value;
    marked = true;
    return `${bigintMark}${value}`;
  });
  return marked ? text.replaceAll(markedBigint, '$1') : text;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same object without some members. */
export function withoutMembers<T>(
  object: Readonly<Record<string, T>>,
  names: readonly string[],
): Record<string, T> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** Name of a JSON value's type, for errors. */
export function jsonTypeOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A value in an error text, cut so that a text stays readable. */
export function showJson(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** @throws ContrailError INVALID_ARGUMENT naming the field. */
export function badField(field: string, value: Json | undefined, expected: string): ContrailError {
  return new ContrailError(
    'INVALID_ARGUMENT',
    `${field}: is ${showJson(value)}, but it must be ${expected}`,
  );
}

/** A member that must be a text. @throws ContrailError INVALID_ARGUMENT */
export function textMember(body: JsonObject, name: string): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '') return value;
  throw badField(name, value, 'a text that is not empty');
}

/** A member that may be absent or null. @throws ContrailError INVALID_ARGUMENT */
export function optionalText(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw badField(name, value, 'a text');
}

/** A list of texts. @throws ContrailError INVALID_ARGUMENT */
export function textList(field: string, value: Json | undefined): string[] {
  if (!Array.isArray(value)) throw badField(field, value, 'a list of texts');
  return value.map((item: Json, i) => {
    if (typeof item !== 'string') throw badField(`${field}[${i}]`, item, 'a text');
    return item;
  });
}
