import { metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { Clock } from '@contrail/reconcile';
import type { ResourceStore } from '@contrail/store';
import { BriefCache } from './brief-cache';

/** The project in which an object lives, and the Kubernetes namespace for which kube-manager made it. */
export interface ContainingProject {
  readonly uuid: string;
  /** Empty while the project has no parent. */
  readonly domainUuid: string;
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
  readonly #domains: BriefCache<readonly ContainingProject[]>;

  constructor(store: ResourceStore, clock: Clock) {
    this.#store = store;
    const limits = { clock, lifetimeMs: cacheLifetimeMs, entriesMax: cacheEntriesMax };
    this.#cache = new BriefCache(limits);
    this.#domains = new BriefCache(limits);
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

  /** Of a domain, as many as are looked at. @param max at most 1000. */
  async ofDomain(uuid: string, max: number): Promise<readonly ContainingProject[]> {
    return await this.#domains.get(uuid, async () => {
      const [domain] = await this.#store.getMany([uuid]);
      if (domain === undefined || typeOf(domain) !== 'domain') return [];
      const parent = { type: 'domain', uuid, fqName: metaOf(domain).fqName } as const;
      const { resources } = await this.#store.list({ type: 'project', parent, after: '', limit: max });
      return resources.map(toProject);
    });
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
  const { uuid, parentUuid, annotations } = metaOf(project);
  const namespace = annotations[namespaceAnnotation];
  return { uuid, domainUuid: parentUuid, namespace: namespace === '' ? undefined : namespace };
}
