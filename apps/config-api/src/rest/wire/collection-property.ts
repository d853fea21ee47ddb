import { ContrailError } from '@contrail/errors';
import type { Json } from './json';
import { badField, showJson } from './json';
import { findStructure, toCamelCase } from '@contrail/resource-model';
import type { PropertySpec } from '@contrail/resource-model';
import type { RestProperty, RestType } from './rest-types';

/** A property whose elements clients read and change one by one. */
export type CollectionProperty =
  | { readonly kind: 'annotations' }
  | {
      readonly kind: 'list' | 'map';
      readonly property: RestProperty;
      /** The repeated field inside the property's structure. */
      readonly element: PropertySpec;
      /** Of a map: the field of an element that names it, in the message. */
      readonly key: string;
    };

/** @throws ContrailError INVALID_ARGUMENT for a field that is none, or has no elements. */
export function collectionPropertyOf(type: RestType, name: string): CollectionProperty {
  if (name === 'annotations') return { kind: 'annotations' };
  const property = type.properties.find((candidate) => candidate.name === name);
  if (property === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `field: is ${showJson(name)}, but a ${type.name} has no such property`,
    );
  }
  const { collection } = property.spec;
  const element = findStructure(property.spec.kind)?.fields.find(
    (field) => field.name === collection?.element,
  );
  if (collection === undefined || element === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `field: is ${name}, which is neither a list nor a map of elements; set it with PUT`,
    );
  }
  const key = collection.kind === 'map' ? toCamelCase(collection.key) : '';
  return { kind: collection.kind, property, element, key };
}

export type ElementOperation = 'add' | 'modify' | 'delete' | 'set';

/** One change of one element. */
export interface ElementUpdate {
  readonly field: string;
  readonly operation: ElementOperation;
  readonly value: Json;
  readonly position: string | undefined;
}

const operationsOf = { list: ['add', 'modify', 'delete'], map: ['set', 'delete'] } as const;

/** @throws ContrailError INVALID_ARGUMENT when the operation does not fit the kind of property. */
export function checkOperation(kind: 'list' | 'map', update: ElementUpdate): void {
  const allowed: readonly string[] = operationsOf[kind];
  if (!allowed.includes(update.operation)) {
    throw badField('operation', update.operation, `one of ${allowed.join(', ')} for ${update.field}`);
  }
  const needsPosition = update.operation === 'modify' || update.operation === 'delete';
  if (needsPosition && update.position === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `position: is missing; name the element of ${update.field} to ${update.operation}`,
    );
  }
}
