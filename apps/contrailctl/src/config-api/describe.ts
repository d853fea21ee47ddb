import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { backReferencesOf, childTypesOf, metaOf, refsOf, specOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { toFacts, toYaml } from '../output/print';
import { toManifest } from './manifest';
import { objectName } from './resource-words';

const shownMax = 20;
/** Told in the head of the description. */
const headFields = ['type', 'fq_name', 'uuid', 'parent_type', 'revision', 'id_perms'];

/** Types of the objects that a description of this type mentions. */
export function relatedTypes(type: ResourceType): ResourceType[] {
  return [...new Set([...childTypesOf(type), ...backReferencesOf(type).map(({ from }) => from)])];
}

/** One object with its children and those that refer to it. @param related objects of `relatedTypes`. */
export function describeResource(resource: Resource, related: readonly Resource[]): string {
  const type = typeOf(resource);
  const { uuid, fqName, parentType, revision, idPerms } = metaOf(resource);
  const children = related.filter((other) => metaOf(other).parentUuid === uuid);
  const referrers = related.filter((other) => refsOf(other).some((reference) => reference.uuid === uuid));
  const body = Object.fromEntries(Object.entries(toManifest(resource)).filter(([name]) => !headFields.includes(name)));
  const facts = toFacts([
    ['Name', fqName.join(':')],
    ['Type', `${type}: ${specOf(type).doc}`],
    ['UUID', uuid],
    ['Parent', parentType === '' ? '' : `${parentType} ${fqName.slice(0, -1).join(':')}`],
    ['Created', idPerms?.created ?? ''],
    ['Changed', `${idPerms?.lastModified ?? ''} (revision ${revision})`],
  ]);
  const fields = Object.keys(body).length === 0 ? '' : toYaml(body);
  return `${facts}${fields}${section('Children', children)}${section('Referred to by', referrers)}`;
}

function section(title: string, resources: readonly Resource[]): string {
  const names = resources.map(objectName).sort();
  if (names.length === 0) return `${title}:  none\n`;
  const more = names.length > shownMax ? [`… ${names.length - shownMax} more`] : [];
  return `${title}:\n${[...names.slice(0, shownMax), ...more].map((name) => `  ${name}\n`).join('')}`;
}
