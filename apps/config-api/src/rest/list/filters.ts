import { isDeepStrictEqual } from 'node:util';
import { ContrailError } from '@contrail/errors';
import type { Answer } from '../wire/json';

/** Field to the values of which one must be there. */
export type Filters = ReadonlyMap<string, readonly unknown[]>;

/**
 * Parses `k==<json>,k2==<json>`; the same key again means "or". Commas inside a JSON value belong to it.
 * @throws ContrailError INVALID_ARGUMENT
 */
export function parseFilters(text: string): Filters {
  const filters = new Map<string, unknown[]>();
  let rest = text.trim();
  let count = 0;
  while (rest !== '') {
    const operator = rest.indexOf('==');
    const key = rest.slice(0, Math.max(operator, 0)).trim();
    if (operator < 0 || key === '') throw malformed(rest);
    const { value, length } = parsePrefix(rest.slice(operator + 2));
    if ((count += 1) > filtersMax) throw malformed(`${filtersMax} filters and more`);
    const values = filters.get(key);
    if (values === undefined) filters.set(key, [value]);
    else values.push(value);
    rest = rest.slice(operator + 2 + length).replace(/^\s*,\s*/, '');
  }
  return filters;
}

/** The JSON value with which a text begins: the shortest one that ends at a comma or at the end. */
function parsePrefix(text: string): { value: unknown; length: number } {
  for (let end = endOfValue(text, 0); ; end = endOfValue(text, end + 1)) {
    try {
      return { value: JSON.parse(text.slice(0, end)) as unknown, length: end };
    } catch {
      if (end >= text.length || end > filterLengthMax) throw malformed(text);
    }
  }
}

const filterLengthMax = 4_096;
const filtersMax = 200;

function endOfValue(text: string, from: number): number {
  const comma = text.indexOf(',', from);
  return comma < 0 ? text.length : comma;
}

function malformed(text: string): ContrailError {
  return new ContrailError(
    'INVALID_ARGUMENT',
    `filters: cannot read ${JSON.stringify(text.slice(0, 80))}; write field==<JSON value>, joined by commas`,
  );
}

/** True when every field has one of the wanted values; a field that is not set counts as false. */
export function matchesFilters(object: Readonly<Record<string, Answer>>, filters: Filters): boolean {
  for (const [field, wanted] of filters) {
    if (!wanted.some((value) => matches(object[field], value))) return false;
  }
  return true;
}

function matches(value: Answer | undefined, wanted: unknown): boolean {
  if (value === undefined || value === null) return wanted === false || wanted === null;
  if (isDeepStrictEqual(value, wanted)) return true;
  if (Array.isArray(value)) return value.some((item: Answer) => matches(item, wanted));
  if (typeof value !== 'object' || typeof wanted !== 'object' || wanted === null) return false;
  const members = value as Readonly<Record<string, Answer>>;
  return Object.entries(wanted).every(([name, part]) => matches(members[name], part));
}
