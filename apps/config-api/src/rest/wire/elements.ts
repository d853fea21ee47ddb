import { randomUUID } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import { fieldsOf, metaOf, setMeta, toCamelCase, withFields } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { withoutMembers } from './json';
import { decodePair, hiddenKey, isServerKey } from './annotations';
import { checkOperation, collectionPropertyOf } from './collection-property';
import type { CollectionProperty, ElementUpdate } from './collection-property';
import { fillMessage } from './decode-body';
import { decodeValue } from './decode-value';
import { encodeElement } from './encode-value';
import type { Answer } from './json';
import type { RestType } from './rest-types';

/** An element of a list or a map, with the position by which clients name it. */
interface Element {
  readonly position: string;
  readonly value: unknown;
}

type Collection = Exclude<CollectionProperty, { kind: 'annotations' }>;

/**
 * `[[value, position], …]` sorted by position as text, as the original's clients expect.
 * @throws ContrailError NOT_FOUND, INVALID_ARGUMENT
 */
export function readElements(
  type: RestType,
  resource: Resource,
  wanted: { readonly field: string; readonly position: string | undefined },
): Answer {
  const property = collectionPropertyOf(type, wanted.field);
  const elements = property.kind === 'annotations' ? annotationElements(resource) : elementsOf(resource, property);
  return elements
    .filter(({ position }) => wanted.position === undefined || wanted.position === position)
    .sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0))
    .map(({ position, value }) => [show(property, value), position]);
}

/** The object after one change of one element; nothing is modified. */
export function updateElement(type: RestType, resource: Resource, update: ElementUpdate): Resource {
  const property = collectionPropertyOf(type, update.field);
  if (property.kind === 'annotations') return updateAnnotation(resource, update);
  checkOperation(property.kind, update);
  const before = elementsOf(resource, property);
  const after =
    property.kind === 'map' ? updateMap(property, before, update) : updateList(property, before, update);
  return writeElements(type, resource, property, after);
}

/** Positions of a list that was set as a whole are "0", "1", …: nothing is remembered about it. */
export function forgetPositions(resource: Resource, propertyName: string): Resource {
  const meta = metaOf(resource);
  const key = positionsKey(propertyName);
  if (meta.annotations[key] === undefined) return resource;
  return setMeta(resource, { ...meta, annotations: withoutMembers(meta.annotations, [key]) });
}

function positionsKey(propertyName: string): string {
  return hiddenKey(`positions.${propertyName}`);
}

function elementsOf(resource: Resource, { kind, property, element, key }: Collection): Element[] {
  const structure = fieldsOf(resource)[property.field] as Record<string, unknown> | undefined;
  const values = (structure?.[toCamelCase(element.name)] ?? []) as readonly unknown[];
  if (kind === 'map') return values.map((value) => ({ value, position: keyOf(value, key) }));
  const stored = metaOf(resource).annotations[positionsKey(property.name)]?.split(',') ?? [];
  // Another API may have changed the list since; then its positions are those of a new list.
  const positions = stored.length === values.length ? stored : [];
  return values.map((value, i) => ({ value, position: positions[i] ?? String(i) }));
}

function keyOf(value: unknown, key: string): string {
  const named = (value as Readonly<Record<string, unknown>>)[key];
  return typeof named === 'string' ? named : '';
}

function updateList(list: Collection, before: readonly Element[], update: ElementUpdate): Element[] {
  const { operation, position } = update;
  if (operation === 'delete') return before.filter((element) => element.position !== position);
  const value = decodeElement(list, update);
  if (operation === 'add') {
    const at = position ?? randomUUID();
    checkPosition(at);
    return [...before.filter((element) => element.position !== at), { position: at, value }];
  }
  if (!before.some((element) => element.position === position)) {
    throw new ContrailError(
      'NOT_FOUND',
      `position: ${position ?? ''} names no element of ${update.field}; read the positions again`,
    );
  }
  return before.map((element) => (element.position === position ? { ...element, value } : element));
}

function checkPosition(position: string): void {
  if (/^[\w.-]{1,64}$/.test(position)) return;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `position: is ${JSON.stringify(position.slice(0, 80))}, but it must be 1 to 64 letters, digits, ".", "_" or "-"`,
  );
}

function updateMap(map: Collection, before: readonly Element[], update: ElementUpdate): Element[] {
  if (update.operation === 'delete')
    return before.filter(({ position }) => position !== update.position);
  const value = decodeElement(map, update);
  const key = keyOf(value, map.key);
  const others = before.filter(({ position }) => position !== key);
  return [...others, { position: key, value }];
}

function decodeElement({ element }: Collection, update: ElementUpdate): unknown {
  const decoded = decodeValue({ ...element, repeated: false }, update.value, 'value');
  if (decoded !== undefined) return decoded;
  throw new ContrailError('INVALID_ARGUMENT', `value: is null; give the element of ${update.field}`);
}

function writeElements(
  type: RestType,
  resource: Resource,
  { kind, property, element }: Collection,
  elements: readonly Element[],
): Resource {
  const before = fieldsOf(resource)[property.field] as Record<string, unknown> | undefined;
  const structure = { ...before, [toCamelCase(element.name)]: elements.map(({ value }) => value) };
  const filled = fillMessage(type.type, { [property.field]: structure });
  const written = withFields(resource, { [property.field]: filled[property.field] });
  const forgotten = forgetPositions(written, property.name);
  if (kind === 'map' || elements.every(({ position }, i) => position === String(i))) return forgotten;
  const meta = metaOf(forgotten);
  const positions = elements.map(({ position }) => position).join(',');
  return setMeta(forgotten, {
    ...meta,
    annotations: { ...meta.annotations, [positionsKey(property.name)]: positions },
  });
}

function annotationElements(resource: Resource): Element[] {
  return Object.entries(metaOf(resource).annotations)
    .filter(([key]) => !isServerKey(key))
    .map(([key, value]) => ({ position: key, value: { key, value } }));
}

function updateAnnotation(resource: Resource, update: ElementUpdate): Resource {
  checkOperation('map', update);
  const meta = metaOf(resource);
  const annotations = { ...meta.annotations };
  if (update.operation === 'delete') {
    const key = update.position ?? '';
    if (!isServerKey(key)) delete annotations[key];
  } else {
    const { key, text } = decodePair(update.value, 'value');
    if (!isServerKey(key)) annotations[key] = text;
  }
  return setMeta(resource, { ...meta, annotations });
}

function show(property: CollectionProperty, value: unknown): Answer {
  return property.kind === 'annotations'
    ? (value as Answer)
    : encodeElement(property.element, value);
}
