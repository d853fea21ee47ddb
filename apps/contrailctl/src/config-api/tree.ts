import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, refsOf, typeOf } from '@contrail/resource-model';

export interface TreeOptions {
  /** Uuid of the topmost object; undefined: every object without parent that has children. */
  readonly root: string | undefined;
  /** References as leaves. */
  readonly refs: boolean;
  /** Children of one type beyond these are only counted. */
  readonly childrenMax: number;
}

/** Objects under their parents, as lines. @param resources in any order. */
export function treeLines(resources: readonly Resource[], options: TreeOptions): string[] {
  const children = new Map<string, Resource[]>();
  for (const resource of resources) {
    const { parentUuid } = metaOf(resource);
    if (parentUuid !== '') children.set(parentUuid, [...(children.get(parentUuid) ?? []), resource]);
  }
  const isRoot = (resource: Resource): boolean => {
    const { uuid, parentUuid } = metaOf(resource);
    return options.root === undefined ? parentUuid === '' && children.has(uuid) : uuid === options.root;
  };
  return resources.filter(isRoot).flatMap((root) => [
    labelOf(root, metaOf(root).fqName.join(':')),
    ...branches(root, children, options),
  ]);
}

function branches(parent: Resource, children: ReadonlyMap<string, readonly Resource[]>, options: TreeOptions): string[] {
  const below = [...(children.get(metaOf(parent).uuid) ?? [])].sort(byTypeAndName);
  const entries = collapse(below, options.childrenMax).map((entry) =>
    typeof entry === 'string' ? [entry] : [labelOf(entry, metaOf(entry).fqName.at(-1) ?? ''), ...branches(entry, children, options)],
  );
  const references = options.refs ? refsOf(parent).map(({ type, uuid, fqName }) => [`-> ${type} ${fqName.join(':') || uuid}`]) : [];
  const all = [...references, ...entries];
  return all.flatMap((lines, i) => {
    const isLast = i === all.length - 1;
    return lines.map((line, j) => `${j === 0 ? (isLast ? '└─ ' : '├─ ') : isLast ? '   ' : '│  '}${line}`);
  });
}

/** A text in place of those of one type that are too many. */
function collapse(sorted: readonly Resource[], max: number): (Resource | string)[] {
  const counts = new Map<string, number>();
  const kept = sorted.filter((resource) => {
    const count = (counts.get(typeOf(resource)) ?? 0) + 1;
    counts.set(typeOf(resource), count);
    return count <= max;
  });
  const hidden = [...counts].filter(([, count]) => count > max).map(([type, count]) => `… ${count - max} more of ${type} (--all)`);
  return [...kept, ...hidden];
}

function labelOf(resource: Resource, name: string): string {
  return `${typeOf(resource)} ${name}`;
}

function byTypeAndName(a: Resource, b: Resource): number {
  const [x, y] = [a, b].map((resource) => `${typeOf(resource)}\0${metaOf(resource).fqName.join(':')}`);
  return (x ?? '') < (y ?? '') ? -1 : 1;
}
