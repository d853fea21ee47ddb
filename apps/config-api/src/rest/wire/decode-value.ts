import { ContrailError } from '@contrail/errors';
import type { PropertySpec } from '@contrail/resource-model';
import { formatAddress } from '@contrail/net';
import { findStructure, toCamelCase, tryToPrefix } from '@contrail/resource-model';
import { SubnetType } from '@contrail/proto-gen/config/v1/resources';
import { badField, isJsonObject, showJson } from './json';
import type { Json } from './json';

const integerText = /^-?\d{1,20}$/;
const limitsOf = {
  uint32: { min: 0n, max: 2n ** 32n - 1n },
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  uint64: { min: 0n, max: 2n ** 64n - 1n },
} as const;

/**
 * A client's value for a property, in the form of the message; undefined for null: not set.
 *
 * @param path of the value, for errors: `network_ipam_refs[0].attr.ipam_subnets`.
 * @throws ContrailError INVALID_ARGUMENT that names the field, the value and what it must be.
 */
export function decodeValue(spec: PropertySpec, value: Json, path: string): unknown {
  if (value === null) return undefined;
  if (!spec.repeated) return decodeItem(spec, value, path);
  if (!Array.isArray(value)) throw badField(path, value, 'a list');
  return value.map((item: Json, i) => {
    const decoded = decodeItem(spec, item, `${path}[${i}]`);
    if (decoded === undefined) throw badField(`${path}[${i}]`, item, 'a value');
    return decoded;
  });
}

function decodeItem(spec: PropertySpec, value: Json, path: string): unknown {
  if (findStructure(spec.kind) !== undefined) return decodeStructure(spec.kind, value, path);
  switch (spec.kind) {
    case 'string':
      if (typeof value !== 'string') throw badField(path, value, 'a text');
      return value;
    case 'bool':
      if (typeof value !== 'boolean') throw badField(path, value, 'true or false');
      return value;
    case 'uint32':
    case 'int32':
      return Number(decodeInteger(spec.kind, value, path));
    case 'uint64':
      return decodeInteger(spec.kind, value, path);
    case 'double':
      if (typeof value !== 'number') throw badField(path, value, 'a number');
      return value;
    case 'bytes':
      if (typeof value !== 'string') throw badField(path, value, 'base64 text');
      return Buffer.from(value, 'base64');
    default:
      throw new ContrailError('INTERNAL', `${path}: the table has an unknown kind ${spec.kind}`);
  }
}

/** Numbers, and the texts of numbers that clients of the original send. */
function decodeInteger(kind: keyof typeof limitsOf, value: Json, path: string): bigint {
  const { min, max } = limitsOf[kind];
  const expected = `a whole number from ${min} to ${max}`;
  const isNumber = typeof value === 'number' && Number.isInteger(value);
  const isText = typeof value === 'string' && integerText.test(value);
  if (!isNumber && !isText) throw badField(path, value, expected);
  const number = BigInt(value);
  if (number < min || number > max) throw badField(path, value, expected);
  return number;
}

/**
 * A structure by the table. Clients send every field of a type, null or empty where nothing is set, so
 * only an unknown field with a value is wrong.
 */
export function decodeStructure(
  kind: string,
  value: Json,
  path: string,
): Record<string, unknown> | undefined {
  if (value === null) return undefined;
  const structure = findStructure(kind);
  if (!isJsonObject(value) || structure === undefined) throw badField(path, value, 'an object');
  const message: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const spec = structure.fields.find((field) => field.name === name && !field.grpcOnly);
    if (spec === undefined) {
      if (member === null || (Array.isArray(member) && member.length === 0)) continue;
      const known = structure.fields.filter((field) => !field.grpcOnly).map((field) => field.name);
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${path}.${name}: is ${showJson(member)}, but ${kind} has no such field; its fields are ${known.join(', ')}`,
      );
    }
    message[toCamelCase(name)] = decodeValue(spec, member, `${path}.${name}`);
  }
  return kind === 'SubnetType' ? clearHostBits(message) : message;
}

/** A prefix is kept by its network address; what is none is refused later, with its text. */
function clearHostBits(subnet: Record<string, unknown>): Record<string, unknown> {
  const prefix = tryToPrefix(SubnetType.fromPartial(subnet));
  if (prefix === undefined || subnet['ipPrefixLen'] === undefined) return subnet;
  return { ...subnet, ipPrefix: formatAddress(prefix.address) };
}
