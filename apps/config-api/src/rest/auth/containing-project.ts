import { metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { Clock } from '@contrail/reconcile';
import type { ResourceStore } from '@contrail/store';
import { BriefCache } from './brief-cache';

/** The project in which an object lives, and the Kubernetes namespace for which kube-manager made it. */
export interface ContainingProject {
  readonly uuid: string;
  readonly namespace: string | undefined;
}

/** Annotation of a Project; only kube-manager sets it, because it decides who has rights there. */
export const namespaceAnnotation = 'namespace';

const cacheLifetimeMs = 5_000;
const cacheEntriesMax = 20_000;
/** Levels between an object and its project; the model has three. */
const levelsMax = 8;

/** Finds projects by following parents; what was found holds for five seconds. */
export class ProjectFinder {
  readonly #store: ResourceStore;
  readonly #cache: BriefCache<ContainingProject | undefined>;

  constructor(store: ResourceStore, clock: Clock) {
    this.#store = store;
    this.#cache = new BriefCache({
      clock,
      lifetimeMs: cacheLifetimeMs,
      entriesMax: cacheEntriesMax,
    });
  }

  /** The project of an object; of a project, itself. */
  async of(resource: Resource): Promise<ContainingProject | undefined> {
    if (typeOf(resource) === 'project') return toProject(resource);
    const { parentUuid } = metaOf(resource);
    return parentUuid === '' ? undefined : await this.ofUuid(parentUuid);
  }

  /** The project of the object with this uuid. */
  async ofUuid(uuid: string): Promise<ContainingProject | undefined> {
    return await this.#cache.get(uuid, () => this.#follow(uuid));
  }

  async #follow(start: string): Promise<ContainingProject | undefined> {
    let uuid = start;
    for (let level = 0; level < levelsMax && uuid !== ''; level += 1) {
      const [resource] = await this.#store.getMany([uuid]);
      if (resource === undefined) return undefined;
      if (typeOf(resource) === 'project') return toProject(resource);
      uuid = metaOf(resource).parentUuid;
    }
    return undefined;
  }
}

function toProject(project: Resource): ContainingProject {
  const { uuid, annotations } = metaOf(project);
  const namespace = annotations[namespaceAnnotation];
  return { uuid, namespace: namespace === '' ? undefined : namespace };
}
