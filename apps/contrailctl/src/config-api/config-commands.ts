import type { Command } from 'commander';
import type { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ContrailError } from '@contrail/errors';
import { metaOf } from '@contrail/resource-model';
import { callUnary } from '@contrail/rpc';
import { toJson, toTable } from '../output/print';
import { withConfigApi } from '../session';
import { listAll } from './list-all';
import type { Session } from '../session';

type OpenSession = () => Session;

/** Adds the commands that ask config-api. */
export function addConfigCommands(program: Command, open: OpenSession): void {
  const config = program.command('config').description('objects of the resource model');
  config
    .command('list')
    .argument('<type>', 'virtual-network, virtual-machine-interface, …')
    .action((type: string) => list(open(), type));
  config
    .command('get')
    .argument('<type>')
    .argument('<name>', 'uuid, or names with colons: default-domain:default-project:ip-fabric')
    .action((type: string, name: string) => get(open(), type, name));
  program.command('progress').description('how far each node is behind the configuration').action(() => progress(open()));
}

async function list(session: Session, type: string): Promise<void> {
  const found = await withConfigApi(session, (client) => listAll(client, type));
  if (session.options.output === 'json') session.write(toJson(found.map(({ kind }) => kind?.value)));
  else session.write(resourceTable(found));
}

export function resourceTable(resources: readonly Resource[]): string {
  return toTable(
    ['UUID', 'REVISION', 'NAME'],
    resources.map((resource) => {
      const { uuid, revision, fqName } = metaOf(resource);
      return [uuid, revision, fqName.join(':')];
    }),
  );
}

async function get(session: Session, type: string, name: string): Promise<void> {
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name);
  const key = isUuid ? { uuid: name.toLowerCase(), type, fqName: [] } : { uuid: '', type, fqName: name.split(':') };
  const { resource } = await withConfigApi(session, (client) => callUnary(client, 'get', { key }));
  if (!resource?.kind) throw new ContrailError('NOT_FOUND', `${type} ${name}: does not exist`);
  // An object has no useful table: JSON in either format.
  session.write(toJson(resource.kind.value));
}

async function progress(session: Session): Promise<void> {
  const response = await withConfigApi(session, (client) => callUnary(client, 'getProgress', {}));
  if (session.options.output === 'json') session.write(toJson(response));
  else session.write(progressTable(response.nodes, response.revision, Date.now()));
}

export function progressTable(nodes: readonly NodeProgress[], revision: bigint, nowMs: number): string {
  const table = toTable(
    ['NODE', 'REVISION', 'BEHIND', 'REPORTED', 'EXCEPTIONS'],
    [...nodes]
      .sort((a, b) => (a.node < b.node ? -1 : 1))
      .map((node) => [
        node.node,
        node.revision,
        revision > node.revision ? revision - node.revision : 0n,
        `${Math.max(0, Math.round((nowMs - Number(node.reportedAtMs)) / 1000))}s ago`,
        node.exceptions.length,
      ]),
  );
  const reasons = nodes.flatMap(({ node, exceptions }) =>
    exceptions.map(({ type, uuid, reason }) => `${node}: ${type} ${uuid}: ${reason}\n`),
  );
  return table + reasons.join('');
}
