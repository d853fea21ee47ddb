import type { Command } from 'commander';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ContrailError } from '@contrail/errors';
import { metaOf, specOf, typeNames, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { callUnary } from '@contrail/rpc';
import { toFormat, toTable } from '../output/print';
import { withConfigApi } from '../session';
import type { Session } from '../session';
import { resourceTable } from './columns';
import { describeResource, relatedTypes } from './describe';
import { listAll } from './list-all';
import { toManifest } from './manifest';
import { objectName, parseTypeWord, toKey } from './resource-words';
import { readSnapshot } from './snapshot';
import { treeLines } from './tree';

type OpenSession = () => Session;

const typeHelp = 'virtual-network, networks, vn, …: contrailctl types';
const nameHelp = 'uuid, or names with colons: default-domain:default-project:blue';

/** Adds the commands that read the resource model. */
export function addReadCommands(program: Command, open: OpenSession): void {
  program
    .command('get')
    .description('objects of a type, or those that are named')
    .argument('<type>', typeHelp)
    .argument('[names...]', nameHelp)
    .option('--parent <name>', 'only children of this object: uuid, or names with colons')
    .option('--annotation <key=value...>', 'only objects with these annotations')
    .action((type: string, names: string[], options: ListOptions) => get(open(), { type: parseTypeWord(type), names, options }));
  program
    .command('describe')
    .description('one object, its children, and who refers to it')
    .argument('<type>', typeHelp)
    .argument('<name>', nameHelp)
    .action((type: string, name: string) => describe(open(), parseTypeWord(type), name));
  program
    .command('tree')
    .description('objects under their parents')
    .argument('[type]', typeHelp)
    .argument('[name]', `the topmost object: ${nameHelp}`)
    .option('--refs', 'with references')
    .option('--all', 'however many there are')
    .action((type: string | undefined, name: string | undefined, options: TreeWish) => tree(open(), { type, name, options }));
  program
    .command('types')
    .description('types of the resource model')
    .action(() => types(open()));
}

interface ListOptions {
  readonly parent?: string;
  readonly annotation?: readonly string[];
}

interface TreeWish {
  readonly refs?: boolean;
  readonly all?: boolean;
}

async function get(session: Session, wish: { type: ResourceType; names: readonly string[]; options: ListOptions }): Promise<void> {
  const { type, names, options } = wish;
  const found = await withConfigApi(session, async (client) =>
    names.length === 0 ? await list(client, type, options) : await Promise.all(names.map((name) => getOne(client, type, name))),
  );
  printResources(session, type, { found, isOne: names.length === 1 });
}

/** @throws ContrailError NOT_FOUND */
export async function getOne(client: ConfigServiceClient, type: ResourceType, name: string): Promise<Resource> {
  const { resource } = await callUnary(client, 'get', { key: toKey(type, name) });
  if (resource === undefined) throw new ContrailError('NOT_FOUND', `${specOf(type).message}/${name}: does not exist`);
  return resource;
}

async function list(client: ConfigServiceClient, type: ResourceType, options: ListOptions): Promise<Resource[]> {
  const annotations = Object.fromEntries((options.annotation ?? []).map(toPair));
  const parentUuid = options.parent === undefined ? '' : await parentUuidOf(client, type, options.parent);
  return await listAll(client, type, { parentUuid, annotations });
}

/** Of a name, the first type of parent that has such an object. */
async function parentUuidOf(client: ConfigServiceClient, type: ResourceType, name: string): Promise<string> {
  const { parents } = specOf(type);
  for (const parent of parents) {
    const key = toKey(parent as ResourceType, name);
    const found = await callUnary(client, 'get', { key }).catch((error: unknown) => {
      if (error instanceof ContrailError && error.code === 'NOT_FOUND') return { resource: undefined };
      throw error;
    });
    if (found.resource !== undefined) return metaOf(found.resource).uuid;
  }
  throw new ContrailError('NOT_FOUND', `--parent ${name}: no ${parents.join(' or ') || 'parent'} has this name; a ${type} has no other parents`);
}

function toPair(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new ContrailError('INVALID_ARGUMENT', `--annotation ${text}: has no value; write key=value`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function printResources(session: Session, type: ResourceType, { found, isOne }: { found: readonly Resource[]; isOne: boolean }): void {
  const { output } = session.options;
  if (output === 'name') {
    session.write(found.map((resource) => `${objectName(resource)}\n`).join(''));
    return;
  }
  const manifests = found.map(toManifest);
  const table = (): string =>
    found.length === 0 ? `no ${type} found\n` : resourceTable(found, { type, wide: output === 'wide', nowMs: Date.now() });
  // Several objects are several documents, so that the output can be applied.
  if (output === 'yaml' && !isOne) session.write(manifests.map((manifest) => toFormat(output, manifest, table)).join('---\n'));
  else session.write(toFormat(output, isOne ? manifests[0] : manifests, table));
}

async function describe(session: Session, type: ResourceType, name: string): Promise<void> {
  const text = await withConfigApi(session, async (client) => {
    const resource = await getOne(client, type, name);
    return describeResource(resource, await readSnapshot(session, client, relatedTypes(type)));
  });
  session.write(text);
}

async function tree(
  session: Session,
  { type, name, options }: { type: string | undefined; name: string | undefined; options: TreeWish },
): Promise<void> {
  const lines = await withConfigApi(session, async (client) => {
    const root = type === undefined || name === undefined ? undefined : await getOne(client, parseTypeWord(type), name);
    const all = await readSnapshot(session, client, []);
    const childrenMax = options.all === true ? Number.POSITIVE_INFINITY : 20;
    const wish = { refs: options.refs === true, childrenMax };
    if (root !== undefined || type === undefined) return treeLines(all, { ...wish, root: root && metaOf(root).uuid });
    const wanted = parseTypeWord(type);
    const roots = all.filter((resource) => typeOf(resource) === wanted);
    return roots.flatMap((resource) => treeLines(all, { ...wish, root: metaOf(resource).uuid }));
  });
  session.write(lines.map((line) => `${line}\n`).join(''));
}

function types(session: Session): void {
  const rows = typeNames.map((type) => [type, specOf(type).parents.join(','), specOf(type).doc]);
  session.write(toFormat(session.options.output, typeNames, () => toTable(['TYPE', 'PARENTS', 'WHAT IT IS'], rows)));
}
