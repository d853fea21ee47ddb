import { ContrailError } from '@contrail/errors';
import {
  describe,
  fieldsOf,
  findMessage,
  findStructure,
  isDerivedChild,
  metaOf,
  restTypeName,
  subnetsOf,
  toCamelCase,
  typeNames,
  typeOf,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { CountLimit, ResourceStore } from '@contrail/store';
import type { WorkingSet } from './working-set';

/** A project has as many objects as its quota allows; over REST this is 412, as in the original. */
export class OverQuotaError extends ContrailError {
  constructor(message: string) {
    super('RESOURCE_EXHAUSTED', message);
  }
}

/** What a quota allows, and the error when a transaction wants more. */
export interface QuotaLimit {
  readonly limit: CountLimit;
  readonly error: OverQuotaError;
}

/** Types with a quota of their own, by its name: `virtual_network`. */
const quotaNames: ReadonlySet<string> = new Set(
  findStructure('QuotaType')?.fields.map(({ name }) => name),
);
const nameByType: ReadonlyMap<ResourceType, string> = new Map(
  typeNames.map((type) => [type, restTypeName(type).replaceAll('-', '_')]),
);
/** Types that belong to the project of their parent. */
const belowParent: readonly ResourceType[] = ['floating-ip-pool', 'loadbalancer-member'];
const pageSize = 500;

type Reads = Pick<ResourceStore, 'getMany' | 'list'>;

/** One object more of a type in a project, or one less. */
interface Change {
  readonly resource: Resource;
  readonly step: 1 | -1;
}

/**
 * The limits that quotas set to a transaction. What the system itself makes does not count, nor what users do
 * not see (`id_perms.user_visible`).
 *
 * @throws OverQuotaError for parts of objects: subnets, and rules of security groups.
 */
export async function quotaLimits(store: Reads, set: WorkingSet): Promise<QuotaLimit[]> {
  const changes = [...set.entries.values()].flatMap(({ previous, next }): Change[] => {
    if (previous === undefined && next !== undefined) return [{ resource: next, step: 1 }];
    return previous !== undefined && next === undefined ? [{ resource: previous, step: -1 }] : [];
  });
  const counted = changes.filter(({ resource }) => isCounted(resource));
  const grown = grownParts(set);
  if (grown.length === 0 && counted.every(({ step }) => step < 0)) return [];
  const projects = new Projects(store, set);
  await projects.read([...counted.map(({ resource }) => resource), ...grown]);
  for (const resource of grown) await checkParts(store, set, resource, projects.of(resource));
  return limitsOf(counted, projects);
}

function isCounted(resource: Resource): boolean {
  return quotaNames.has(quotaName(typeOf(resource))) && isVisible(resource) && !isDerivedChild(resource);
}

function quotaName(type: ResourceType): string {
  return nameByType.get(type) ?? '';
}

function isVisible(resource: Resource): boolean {
  return metaOf(resource).idPerms?.userVisible !== false;
}

function limitsOf(changes: readonly Change[], projects: Projects): QuotaLimit[] {
  const added = new Map<string, { project: Resource; resource: Resource; count: number }>();
  for (const { resource, step } of changes) {
    const project = projects.of(resource);
    if (project === undefined) continue;
    const key = `${metaOf(project).uuid} ${typeOf(resource)}`;
    const known = added.get(key);
    const newest = step > 0 ? resource : (known?.resource ?? resource);
    added.set(key, { project, resource: newest, count: (known?.count ?? 0) + step });
  }
  return [...added.values()].flatMap(({ project, resource, count }): QuotaLimit[] => {
    const type = typeOf(resource);
    const quota = quotaOf(project, quotaName(type));
    if (quota === undefined || count <= 0) return [];
    const { uuid, fqName } = metaOf(project);
    // Every project has its default group, which nobody asked for.
    const max = type === 'security-group' ? quota + 1 : quota;
    const of = refersToProject(resource)
      ? ({ kind: 'referrers', uuid } as const)
      : ({ kind: 'named', fqName } as const);
    return [{ limit: { type, of, added: count, max }, error: overQuota(resource, project, quotaName(type)) }];
  });
}

/** The quota of a project for one thing; undefined for no limit. */
function quotaOf(project: Resource, name: string): number | undefined {
  const quota = findMessage('project', project)?.quota;
  if (quota === undefined) return undefined;
  const own = (quota as unknown as Readonly<Record<string, unknown>>)[toCamelCase(name)];
  const limit = typeof own === 'number' ? own : quota.defaults;
  return limit === undefined || limit < 0 ? undefined : limit;
}

function overQuota(resource: Resource, project: Resource, name: string): OverQuotaError {
  const quota = quotaOf(project, name) ?? 0;
  return new OverQuotaError(
    `${describe(resource)}: quota limit (${quota}) exceeded for resource ${name}; delete what is not needed, or raise ` +
      `quota.${name} of ${describe(project)}`,
  );
}

function refersToProject(resource: Resource): boolean {
  const refs = fieldsOf(resource)['projectRefs'];
  return Array.isArray(refs) && refs.length > 0;
}

/** Objects whose subnets or rules become more. */
function grownParts(set: WorkingSet): Resource[] {
  return [...set.entries.values()].flatMap(({ previous, next }) => {
    if (next === undefined || !isVisible(next) || isDerivedChild(next)) return [];
    return partsOf(next) > partsOf(previous) ? [next] : [];
  });
}

function partsOf(resource: Resource | undefined): number {
  if (resource === undefined) return 0;
  if (typeOf(resource) === 'virtual-network') return subnetsOf(resource).length;
  return findMessage('security-group', resource)?.securityGroupEntries?.policyRule.length ?? 0;
}

/** Counts the parts in all objects of the project as the transaction leaves them. */
async function checkParts(
  store: Reads,
  set: WorkingSet,
  resource: Resource,
  project: Resource | undefined,
): Promise<void> {
  const type = typeOf(resource);
  const name = type === 'virtual-network' ? 'subnet' : 'security_group_rule';
  const quota = project && quotaOf(project, name);
  if (project === undefined || quota === undefined) return;
  const { uuid, fqName } = metaOf(project);
  const found = new Map<string, Resource>();
  let after = '';
  do {
    const page = await store.list({ type, parent: { type: 'project', uuid, fqName }, after, limit: pageSize });
    for (const item of page.resources) found.set(metaOf(item).uuid, item);
    after = page.next;
  } while (after !== '');
  for (const [key, { next }] of set.entries) {
    if (next === undefined) found.delete(key);
    else if (typeOf(next) === type && metaOf(next).parentUuid === uuid) found.set(key, next);
  }
  const counting = [...found.values()].filter((item) => isVisible(item) && !isDerivedChild(item));
  const count = counting.reduce((sum, item) => sum + partsOf(item), 0);
  if (count > quota) throw overQuota(resource, project, name);
}

/** The projects to which objects of a transaction belong. */
class Projects {
  readonly #store: Reads;
  readonly #set: WorkingSet;
  readonly #read = new Map<string, Resource>();

  constructor(store: Reads, set: WorkingSet) {
    this.#store = store;
    this.#set = set;
  }

  async read(resources: readonly Resource[]): Promise<void> {
    await this.#fetch(resources.map(ownerOf));
    // Parents of parents: a pool's network, then its project.
    const parents = resources
      .filter((resource) => belowParent.includes(typeOf(resource)))
      .flatMap((resource) => this.#find(ownerOf(resource)) ?? []);
    await this.#fetch(parents.map(({ kind }) => kind?.value.meta?.parentUuid ?? ''));
  }

  of(resource: Resource): Resource | undefined {
    const owner = this.#find(ownerOf(resource));
    const project =
      owner !== undefined && belowParent.includes(typeOf(resource))
        ? this.#find(metaOf(owner).parentUuid)
        : owner;
    return project !== undefined && typeOf(project) === 'project' ? project : undefined;
  }

  #find(uuid: string): Resource | undefined {
    const entry = this.#set.entries.get(uuid);
    return entry === undefined ? this.#read.get(uuid) : (entry.next ?? entry.previous);
  }

  async #fetch(uuids: readonly string[]): Promise<void> {
    const unread = [...new Set(uuids)].filter(
      (uuid) => uuid !== '' && !this.#set.entries.has(uuid) && !this.#read.has(uuid),
    );
    if (unread.length === 0) return;
    for (const resource of await this.#store.getMany(unread))
      if (resource !== undefined) this.#read.set(metaOf(resource).uuid, resource);
  }
}

/** The project to which an object refers as its own, else its parent. */
function ownerOf(resource: Resource): string {
  const refs = fieldsOf(resource)['projectRefs'] as readonly { readonly uuid: string }[] | undefined;
  return refs?.[0]?.uuid ?? metaOf(resource).parentUuid;
}
