import { structures } from '@contrail/resource-model';
import type { PropertySpec } from '@contrail/resource-model';
import type { Answer } from '../wire/json';
import { childrenOf } from '../wire/rest-types';
import type { RestReference, RestType } from '../wire/rest-types';

type Members = Record<string, Answer>;

const formats: Readonly<Record<string, string>> = { ip: 'ip', ipv4: 'ipv4', uuid: 'uuid' };
const reference = (name: string): Answer => ({ $ref: `#/components/schemas/${name}` });

/** Every structure of the table. */
export function structureSchemas(): Members {
  const schemas: Members = { Reference: referenceSchema(undefined) };
  for (const { name, fields } of structures) {
    const shown = fields.filter((field) => !field.grpcOnly);
    schemas[name] = {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(shown.map((field) => [field.name, propertySchema(field)])),
    };
  }
  return schemas;
}

/** An object of a type: what all objects have, its properties, references and children. */
export function typeSchema(type: RestType): Answer {
  const { spec, properties, references } = type;
  return {
    type: 'object',
    description: spec.doc,
    properties: {
      uuid: { type: 'string', format: 'uuid' },
      fq_name: { type: 'array', items: { type: 'string' } },
      name: { type: 'string', readOnly: true },
      href: { type: 'string', readOnly: true },
      display_name: { type: 'string' },
      ...(spec.parents.length === 0 ? {} : parentProperties(type)),
      id_perms: reference('IdPermsType'),
      perms2: reference('PermType2'),
      annotations: reference('KeyValuePairs'),
      ...Object.fromEntries(properties.map((item) => [item.name, propertySchema(item.spec)])),
      ...Object.fromEntries(references.map((item) => [item.name, referencesSchema(item)])),
      ...Object.fromEntries(
        childrenOf(type).map((child) => [
          child.childrenField,
          { type: 'array', readOnly: true, items: reference('Reference') },
        ]),
      ),
    },
  };
}

function parentProperties({ spec }: RestType): Members {
  return {
    parent_type: { type: 'string', enum: spec.parents },
    parent_uuid: { type: 'string', format: 'uuid' },
    parent_href: { type: 'string', readOnly: true },
  };
}

function propertySchema(spec: PropertySpec): Answer {
  const item = itemSchema(spec);
  const description = [spec.doc, spec.storedOnly ? 'Stored, not acted on yet.' : '']
    .filter((text) => text !== '')
    .join(' ');
  const extras: Members = {
    ...(description === '' ? {} : { description }),
    ...(spec.readOnly ? { readOnly: true } : {}),
  };
  return spec.repeated
    ? { type: ['array', 'null'], items: item, ...extras }
    : { ...(item as Members), ...extras };
}

function itemSchema(spec: PropertySpec): Answer {
  const { kind, values, range, format } = spec;
  switch (kind) {
    case 'string':
    case 'bytes': {
      const known = format === undefined ? undefined : formats[format];
      return {
        type: ['string', 'null'],
        ...(values === undefined ? {} : { enum: [...values, null] }),
        ...(known === undefined ? {} : { format: known }),
      };
    }
    case 'bool':
      return { type: ['boolean', 'null'] };
    case 'double':
      return { type: ['number', 'null'] };
    case 'uint32':
    case 'int32':
    case 'uint64':
      return {
        type: ['integer', 'null'],
        ...(range === undefined ? {} : { minimum: range.min, maximum: range.max }),
      };
    default:
      return reference(kind);
  }
}

function referencesSchema({ spec }: RestReference): Answer {
  const items = spec.attr === undefined ? reference('Reference') : referenceSchema(spec.attr);
  return {
    type: ['array', 'null'],
    items,
    ...(Number.isFinite(spec.max) ? { maxItems: spec.max } : {}),
  };
}

function referenceSchema(attr: string | undefined): Answer {
  return {
    type: 'object',
    properties: {
      to: { type: 'array', items: { type: 'string' } },
      uuid: { type: 'string', format: 'uuid' },
      href: { type: 'string', readOnly: true },
      attr: attr === undefined ? { type: 'null' } : { oneOf: [reference(attr), { type: 'null' }] },
    },
  };
}
