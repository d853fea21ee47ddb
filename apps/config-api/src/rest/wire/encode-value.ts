import { findStructure } from '@contrail/resource-model';
import type { PropertySpec } from '@contrail/resource-model';
import type { Answer } from './json';
import { toRestProperty } from './rest-types';

type Message = Readonly<Record<string, unknown>>;

/** A value of a message as clients see it; undefined for what was never set. */
export function encodeValue(spec: PropertySpec, value: unknown): Answer | undefined {
  if (spec.repeated) {
    const items = Array.isArray(value) ? (value as unknown[]) : [];
    return items.length === 0 ? undefined : items.map((item) => encodeItem(spec, item) ?? null);
  }
  if (value === undefined || value === null) return undefined;
  const isEmpty = value === '' || ((value === 0 || value === 0n) && !spec.zeroCounts);
  return isEmpty && !spec.explicit ? undefined : encodeItem(spec, value);
}

function encodeItem(spec: PropertySpec, value: unknown): Answer | undefined {
  if (findStructure(spec.kind) !== undefined) return encodeStructure(spec.kind, value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value as Answer;
}

/** A structure by the table, its lists always present; fields that only gRPC has are left out. */
export function encodeStructure(kind: string, value: unknown): Answer | undefined {
  const structure = findStructure(kind);
  if (structure === undefined || typeof value !== 'object' || value === null) return undefined;
  const message = value as Message;
  const answer: Record<string, Answer> = {};
  for (const spec of structure.fields) {
    if (spec.grpcOnly) continue;
    const { name, field } = toRestProperty(spec);
    const encoded = encodeValue(spec, message[field]) ?? (spec.repeated ? [] : undefined);
    if (encoded !== undefined) answer[name] = encoded;
  }
  return answer;
}

/** One element of a repeated field. */
export function encodeElement(spec: PropertySpec, value: unknown): Answer {
  return encodeItem(spec, value) ?? null;
}
