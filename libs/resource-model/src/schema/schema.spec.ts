import { BinaryReader } from '@bufbuild/protobuf/wire';
import * as generated from '@contrail/proto-gen/config/v1/resources';
import { referenceField } from '../references';
import { toCamelCase, typeNames } from '../resource';
import { resourceTypes, structures } from './index';
import type { PropertySpec } from './index';

interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  fromPartial(message: object): Record<string, unknown>;
}

const codecs = generated as unknown as Readonly<Record<string, Codec | undefined>>;

function codecOf(message: string): Codec {
  const codec = codecs[message];
  if (codec === undefined) throw new Error(`the generated code has no message ${message}`);
  return codec;
}

const samples: Readonly<Record<string, unknown>> = {
  string: 'x',
  bool: true,
  uint32: 1,
  uint64: 1n,
  int32: 1,
  double: 1,
  bytes: Buffer.from('x'),
};

function sampleOf(property: PropertySpec): unknown {
  const one = samples[property.kind] ?? codecOf(property.kind).fromPartial({});
  return property.repeated ? [one] : one;
}

/** Field numbers of an encoded message, in ascending order. */
function fieldNumbers(message: string, fields: object): number[] {
  const codec = codecOf(message);
  const reader = new BinaryReader(codec.encode(codec.fromPartial(fields)).finish());
  const numbers = new Set<number>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    numbers.add(number);
    reader.skip(wireType);
  }
  return [...numbers].sort((a, b) => a - b);
}

describe.each(structures.map((structure) => [structure.name, structure] as const))(
  'structure %s',
  (name, structure) => {
    it('is generated with the fields of the table', () => {
      const sample = Object.fromEntries(
        structure.fields.map((field) => [toCamelCase(field.name), sampleOf(field)]),
      );
      expect(fieldNumbers(name, sample)).toEqual(
        structure.fields.map(({ number }) => number).sort((a, b) => a - b),
      );
    });
  },
);

describe.each(resourceTypes.map((type) => [type.name, type] as const))('type %s', (name, type) => {
  it('is generated with the fields of the table', () => {
    const properties = type.properties.map((property) => [
      toCamelCase(property.name),
      sampleOf(property),
    ]);
    const references = type.references.map((reference) => [
      referenceField(reference),
      [{ uuid: 'x' }],
    ]);
    const sample = {
      meta: { uuid: 'x' },
      ...Object.fromEntries([...properties, ...references]),
    } as object;
    const numbers = [
      1,
      ...type.properties.map((p) => p.number),
      ...type.references.map((r) => r.number),
    ];
    expect(fieldNumbers(type.message, sample)).toEqual(numbers.sort((a, b) => a - b));
  });

  it('has its number in Resource', () => {
    const kind = { kind: { $case: toCamelCase(name), value: {} } };
    expect(fieldNumbers('Resource', kind)).toEqual([type.number]);
  });

  it('names only types that exist, parents before children', () => {
    const known = typeNames as readonly string[];
    for (const parent of type.parents)
      expect(known.indexOf(parent)).toBeLessThanOrEqual(known.indexOf(name));
    for (const { to } of type.references) expect(known).toContain(to);
  });
});

it('gives no type more than one field for references to one type', () => {
  for (const { references } of resourceTypes) {
    expect(new Set(references.map(({ to }) => to)).size).toBe(references.length);
  }
});
