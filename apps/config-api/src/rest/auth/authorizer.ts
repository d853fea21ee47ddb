import { ContrailError } from '@contrail/errors';
import { describe, typeOf } from '@contrail/resource-model';
import type { ResourceType, ShareScope } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { restTypeOf } from '../wire/rest-types';
import type { ProjectFinder } from './containing-project';
import type { Access, User, Verb } from './kubernetes-access';
import { bitOf, isLeftToProject, isShared, shareScopes } from './sharing';

/** Projects and domains with which one object is shared that are looked at, and projects of such a domain. */
const tenantsMax = 100;
/** Outside every project, and made to be referred to from every one. */
const commonTypes: ReadonlySet<ResourceType> = new Set<ResourceType>(['service-appliance-set']);

/**
 * Decides who may do what. Rights are those of Kubernetes: in the whole cluster, or in the namespace of
 * the project that contains the object. perms2 takes away from the latter, and lets other projects
 * read and refer to an object; it never gives the right to change one.
 */
export class Authorizer {
  readonly #access: Access;
  readonly #projects: ProjectFinder;

  constructor(access: Access, projects: ProjectFinder) {
    this.#access = access;
    this.#projects = projects;
  }

  /**
   * @param place what is in the same project, of an object whose parents are not stored yet.
   * @throws ContrailError PERMISSION_DENIED that says which right is missing where.
   */
  async check(user: User, verb: Verb, resource: Resource, place = resource): Promise<void> {
    if (await this.may(user, verb, resource, place)) return;
    const { plural } = restTypeOf(typeOf(resource));
    const namespace = (await this.#projects.of(place))?.namespace;
    const where =
      namespace === undefined
        ? 'the cluster, because the object is in no project of a namespace'
        : `namespace ${namespace}`;
    throw denied(user, `${verb} ${plural} (${describe(resource)}) in ${where}`);
  }

  async may(user: User, verb: Verb, resource: Resource, place = resource): Promise<boolean> {
    const type = typeOf(resource);
    const { plural } = restTypeOf(type);
    if (await this.#access.mayDo(user, { verb, resource: plural })) return true;
    const bit = bitOf(verb);
    const project = await this.#projects.of(place);
    if (project?.namespace !== undefined) {
      const { namespace } = project;
      const isAllowed = await this.#access.mayDo(user, { verb, resource: plural, namespace });
      if (isAllowed && isLeftToProject(resource, project, bit)) return true;
    }
    return await this.isSharedWith(user, verb, resource);
  }

  /** True when perms2 opens the object to everybody, or to a project in which the user has the right. */
  async isSharedWith(user: User, verb: Verb, resource: Resource): Promise<boolean> {
    if (verb !== 'get' && verb !== 'list' && verb !== 'use') return false;
    if (verb === 'use' && commonTypes.has(typeOf(resource))) return true;
    const bit = bitOf(verb);
    if (isShared(resource, bit)) return true;
    const { plural } = restTypeOf(typeOf(resource));
    for (const scope of shareScopes(resource, bit).slice(0, tenantsMax)) {
      for (const namespace of await this.#namespacesOf(scope))
        if (await this.#access.mayDo(user, { verb, resource: plural, namespace })) return true;
    }
    return false;
  }

  async #namespacesOf({ kind, uuid }: ShareScope): Promise<string[]> {
    const projects = kind === 'domain' ? await this.#projects.ofDomain(uuid, tenantsMax) : [await this.#projects.ofUuid(uuid)];
    return projects.flatMap((project) => project?.namespace ?? []);
  }

  /** For what is in no project. @throws ContrailError PERMISSION_DENIED */
  async checkCluster(user: User, verb: Verb, plural: string): Promise<void> {
    if (await this.mayInCluster(user, verb, plural)) return;
    throw denied(user, `${verb} ${plural} in the cluster`);
  }

  async mayInCluster(user: User, verb: Verb, plural: string): Promise<boolean> {
    return await this.#access.mayDo(user, { verb, resource: plural });
  }
}

function denied(user: User, what: string): ContrailError {
  return new ContrailError(
    'PERMISSION_DENIED',
    `user ${user.username} may not ${what}; bind a role with this right in group contrail.opencontrail.org`,
  );
}
