import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse, parseAllDocuments } from 'yaml';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import { ContrailError } from '@contrail/errors';
import { metaOf, specOf, typeOf } from '@contrail/resource-model';
import { callUnary } from '@contrail/rpc';
import { withConfigApi } from '../session';
import type { Session } from '../session';
import { fromManifest } from './manifest';
import type { Manifest, ParsedManifest } from './manifest';
import { objectName, parseTypeWord, toKey } from './resource-words';

type OpenSession = () => Session;

const operationsMax = 1000;

/** Adds the commands that change the resource model. All that one command changes is one transaction. */
export function addWriteCommands(program: Command, open: OpenSession): void {
  program
    .command('create')
    .description('a new object, or those of a file')
    .argument('[type]', 'virtual-network, vn, …')
    .argument('[name]', 'names with colons: default-domain:default-project:blue')
    .argument('[fields...]', 'field=value; the value is YAML: is_shared=true')
    .option('-f, --filename <file>', 'YAML or JSON; - is standard input')
    .action((type: string | undefined, name: string | undefined, fields: string[], { filename }: FileOption) =>
      create(open(), filename === undefined ? [manifestOf(type, name, fields)] : readManifests(filename)),
    );
  program
    .command('apply')
    .description('creates the objects of a file, or changes the fields that it names')
    .requiredOption('-f, --filename <file>', 'YAML or JSON; - is standard input')
    .action(({ filename }: Required<FileOption>) => apply(open(), readManifests(filename)));
  program
    .command('delete')
    .description('the named objects, or those of a file')
    .argument('[type]', 'virtual-network, vn, …')
    .argument('[names...]', 'uuid, or names with colons')
    .option('-f, --filename <file>', 'YAML or JSON; - is standard input')
    .action((type: string | undefined, names: string[], { filename }: FileOption) =>
      filename === undefined
        ? remove(open(), named(type, names), 'refuse')
        : remove(open(), readManifests(filename).reverse().map(toObject), 'skip'),
    );
}

interface FileOption {
  readonly filename?: string;
}

/** An object that is to go. */
interface NamedObject {
  readonly label: string;
  readonly key: ReturnType<typeof toKey>;
}

async function create(session: Session, manifests: readonly ParsedManifest[]): Promise<void> {
  const operations = manifests.map(({ resource }): Operation => ({ kind: { $case: 'create', value: { resource } } }));
  await withConfigApi(session, (client) => transact(client, operations));
  session.write(manifests.map(({ resource }) => `${objectName(resource)} created\n`).join(''));
}

async function apply(session: Session, manifests: readonly ParsedManifest[]): Promise<void> {
  await withConfigApi(session, async (client) => {
    const known = await Promise.all(manifests.map((manifest) => isStored(client, toObject(manifest).key)));
    const operations = manifests.map((manifest, i): Operation =>
      known[i] === true ? toUpdate(manifest) : { kind: { $case: 'create', value: { resource: manifest.resource } } },
    );
    const results = await transact(client, operations);
    const said = manifests.map(({ resource }, i) => {
      const what = known[i] !== true ? 'created' : results[i]?.changed === true ? 'configured' : 'unchanged';
      return `${objectName(resource)} ${what}\n`;
    });
    session.write(said.join(''));
  });
}

/** @param absent what to do about what does not exist: of a file the rest goes all the same. */
async function remove(session: Session, objects: readonly NamedObject[], absent: 'refuse' | 'skip'): Promise<void> {
  await withConfigApi(session, async (client) => {
    const known = await Promise.all(objects.map(({ key }) => isStored(client, key)));
    const missing = objects.find((_, i) => known[i] !== true);
    if (missing !== undefined && absent === 'refuse')
      throw new ContrailError('NOT_FOUND', `${missing.label}: does not exist; nothing was deleted`);
    const stored = objects.filter((_, i) => known[i] === true);
    const operations = stored.map(({ key }): Operation => ({ kind: { $case: 'delete', value: { key, expectedRevision: 0n } } }));
    if (operations.length > 0) await transact(client, operations);
    session.write(objects.map(({ label }, i) => `${label} ${known[i] === true ? 'deleted' : 'is absent'}\n`).join(''));
  });
}

async function transact(client: ConfigServiceClient, operations: Operation[]): Promise<readonly { readonly changed: boolean }[]> {
  if (operations.length > operationsMax) {
    const text = `${operations.length} objects are more than one transaction can take (${operationsMax}); use several files`;
    throw new ContrailError('INVALID_ARGUMENT', text);
  }
  return (await callUnary(client, 'transact', { operations })).results;
}

async function isStored(client: ConfigServiceClient, key: NamedObject['key']): Promise<boolean> {
  try {
    await callUnary(client, 'get', { key });
    return true;
  } catch (error) {
    if (error instanceof ContrailError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

function toUpdate({ resource, paths, revision }: ParsedManifest): Operation {
  // Without fields there is nothing to change; an empty mask would mean all of them.
  const updateMask = paths.length === 0 ? ['meta.annotations'] : [...paths];
  return { kind: { $case: 'update', value: { resource, updateMask, expectedRevision: revision } } };
}

function manifestOf(type: string | undefined, name: string | undefined, fields: readonly string[]): ParsedManifest {
  if (type === undefined || name === undefined)
    throw new ContrailError('INVALID_ARGUMENT', 'create: needs a type and a name, or -f FILE');
  const given = fields.map((text): [string, unknown] => {
    const at = text.indexOf('=');
    if (at < 1) throw new ContrailError('INVALID_ARGUMENT', `create ${text}: has no value; write field=value`);
    return [text.slice(0, at), parse(text.slice(at + 1)) as unknown];
  });
  return fromManifest({ type: parseTypeWord(type), fq_name: name, ...Object.fromEntries(given) }, 'create');
}

/** @throws ContrailError INVALID_ARGUMENT that names file, line or object. */
function readManifests(filename: string): ParsedManifest[] {
  const source = filename === '-' ? 'standard input' : filename;
  const documents = parseAllDocuments(readText(filename));
  if (!Array.isArray(documents)) return [];
  const found = documents.flatMap((document): unknown[] => {
    const [error] = document.errors;
    if (error !== undefined) throw new ContrailError('INVALID_ARGUMENT', `${source}: is no YAML: ${error.message.split('\n')[0] ?? ''}`);
    const value = document.toJS() as unknown;
    return value === null ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  });
  if (found.length === 0) throw new ContrailError('INVALID_ARGUMENT', `${source}: has no objects`);
  return found.map((value, i) => fromManifest(withType(value), found.length === 1 ? source : `${source} [${i + 1}]`));
}

/** Types in files may be written as on the command line. */
function withType(value: unknown): unknown {
  const type = (value as Manifest | null)?.['type'];
  return typeof type === 'string' ? { ...(value as Manifest), type: parseTypeWord(type) } : value;
}

function readText(filename: string): string {
  try {
    return readFileSync(filename === '-' ? 0 : filename, 'utf8');
  } catch (error) {
    throw new ContrailError('INVALID_ARGUMENT', `${filename}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function named(type: string | undefined, names: readonly string[]): NamedObject[] {
  if (type === undefined || names.length === 0)
    throw new ContrailError('INVALID_ARGUMENT', 'delete: needs a type and names, or -f FILE');
  const kind = parseTypeWord(type);
  return names.map((name) => ({ label: `${specOf(kind).restName}/${name}`, key: toKey(kind, name) }));
}

function toObject({ resource }: ParsedManifest): NamedObject {
  const { uuid, fqName } = metaOf(resource);
  return { label: objectName(resource), key: toKey(typeOf(resource), uuid || fqName.join(':')) };
}
