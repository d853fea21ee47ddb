import { specOf, typeNames } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';

/**
 * How deep a type stands: its parents and what it refers to have lower ranks. So creating in this order, and
 * deleting in the reverse one, never meets a missing target.
 */
export function dependencyRank(type: ResourceType): number {
  return ranks.get(type) ?? 0;
}

const ranks: ReadonlyMap<ResourceType, number> = rankAll();

function ancestorsOf(type: ResourceType, found = new Set<ResourceType>()): Set<ResourceType> {
  for (const parent of specOf(type).parents as readonly ResourceType[]) {
    if (found.has(parent)) continue;
    found.add(parent);
    ancestorsOf(parent, found);
  }
  return found;
}

function rankAll(): Map<ResourceType, number> {
  const known = new Map<ResourceType, number>();
  const visit = (type: ResourceType, path: readonly ResourceType[]): number => {
    const done = known.get(type);
    if (done !== undefined) return done;
    const { parents, references } = specOf(type);
    const targets = [...parents, ...references.map((entry) => entry.to)] as ResourceType[];
    const deeper = targets
      .filter((target) => target !== type && !path.includes(target))
      // A parent may refer to what lies below it; that cannot be there first.
      .filter((target) => !ancestorsOf(target).has(type))
      .map((target) => visit(target, [...path, type]));
    const rank = deeper.length === 0 ? 0 : 1 + Math.max(...deeper);
    known.set(type, rank);
    return rank;
  };
  for (const type of typeNames) visit(type, []);
  return known;
}
