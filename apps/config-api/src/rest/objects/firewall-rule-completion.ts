import { findMessage, metaOf, protocolNumber, withFields } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type {
  FirewallRule,
  FirewallRuleEndpointType,
  Resource,
} from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore, TypedName } from '@contrail/store';
import { RestError } from '../http/rest-error';
import type { Completion } from './completion';

/** A rule that says nothing about it wants both ends to agree in `application`. */
const defaultMatchTypes = [1];
const globalPrefix = 'global:';

interface Found {
  readonly uuid: string;
  readonly fqName: string[];
  readonly resource: Resource;
}

/**
 * Turns the names in the end points of a rule into references and numbers, as the original's server does.
 * @throws RestError 404 for a name that nothing has.
 */
export async function firewallRuleCompletion(
  store: ResourceStore,
  wanted: Resource,
): Promise<Completion> {
  const rule = findMessage('firewall-rule', wanted);
  if (rule === undefined) return (resource) => resource;
  const scope = metaOf(wanted).parentType === 'project' ? metaOf(wanted).fqName.slice(0, -1) : [];
  const endpoints = [rule.endpoint1, rule.endpoint2];
  const tagName = (name: string): string[] =>
    name.startsWith(globalPrefix) ? [name.slice(globalPrefix.length)] : [...scope, name];
  const names = (pick: (endpoint: FirewallRuleEndpointType) => readonly (string | undefined)[]): string[] =>
    endpoints.flatMap((endpoint) => (endpoint === undefined ? [] : pick(endpoint))).filter((name) => name !== undefined && name !== '') as string[];
  const tags = await find(store, 'tag', names(({ tags: given }) => given), tagName);
  const groups = await find(store, 'address-group', names(({ addressGroup }) => [addressGroup]), split);
  const networks = await find(store, 'virtual-network', names(({ virtualNetwork }) => [virtualNetwork]), split);
  const types = await find(store, 'tag-type', rule.matchTags?.tagList ?? [], (name) => [name]);
  const numbered = (endpoint: FirewallRuleEndpointType): FirewallRuleEndpointType => ({
    ...endpoint,
    tagIds: endpoint.tags.flatMap((name) => numberOf(tags.get(name), 'tag')),
  });
  return (resource) => {
    const current = findMessage('firewall-rule', resource);
    if (current === undefined) return resource;
    return withFields(resource, {
      ...completeService(current),
      endpoint1: current.endpoint1 && numbered(current.endpoint1),
      endpoint2: current.endpoint2 && numbered(current.endpoint2),
      matchTagTypes: {
        tagType:
          current.matchTags === undefined
            ? defaultMatchTypes
            : current.matchTags.tagList.flatMap((name) => numberOf(types.get(name), 'tag-type')),
      },
      tagRefs: toReferences(tags),
      addressGroupRefs: toReferences(groups),
      virtualNetworkRefs: toReferences(networks),
    });
  };
}

const split = (name: string): string[] => name.split(':');

async function find(
  store: ResourceStore,
  type: ResourceType,
  names: readonly string[],
  toName: (name: string) => string[],
): Promise<Map<string, Found>> {
  const wanted = [...new Set(names)];
  const typed = wanted.map((name): TypedName => ({ type, fqName: toName(name) }));
  const uuids = typed.length === 0 ? [] : await store.findUuids(typed);
  const resources = await store.getMany(uuids.filter((uuid) => uuid !== undefined));
  const byUuid = new Map(resources.flatMap((item) => (item === undefined ? [] : [[metaOf(item).uuid, item]])));
  return new Map(
    wanted.map((name, i) => {
      const uuid = uuids[i] ?? '';
      const resource = byUuid.get(uuid);
      if (resource === undefined)
        throw new RestError(404, `endpoint: ${type} ${typed[i]?.fqName.join(':') ?? name} does not exist; create it first`);
      return [name, { uuid, fqName: metaOf(resource).fqName, resource }];
    }),
  );
}

function toReferences(found: ReadonlyMap<string, Found>): { uuid: string; fqName: string[] }[] {
  const unique = new Map([...found.values()].map((item) => [item.uuid, item]));
  return [...unique.values()].map(({ uuid, fqName }) => ({ uuid, fqName }));
}

/** The number of a tag or of its type, which are written as hexadecimal texts. */
function numberOf(found: Found | undefined, type: 'tag' | 'tag-type'): number[] {
  if (found === undefined) return [];
  const text =
    type === 'tag'
      ? findMessage('tag', found.resource)?.tagId
      : findMessage('tag-type', found.resource)?.tagTypeId;
  return text === undefined || text === '' ? [] : [Number(text)];
}

function completeService({ service }: FirewallRule): Partial<FirewallRule> {
  if (service === undefined) return {};
  const number = protocolNumber(service.protocol ?? '');
  return number === undefined ? {} : { service: { ...service, protocolId: number } };
}
