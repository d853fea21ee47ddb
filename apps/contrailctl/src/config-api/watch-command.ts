import type { Command } from 'commander';
import type { Change } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf } from '@contrail/resource-model';
import { openServerStream } from '@contrail/rpc';
import { toFormat } from '../output/print';
import { withConfigApi } from '../session';
import type { Session } from '../session';
import { toManifest } from './manifest';
import { objectName, parseTypeWord } from './resource-words';

/** Adds the command that follows the resource model until Ctrl-C. */
export function addWatchCommand(program: Command, open: () => Session): void {
  program
    .command('watch')
    .description('changes as they happen, after what there is')
    .argument('[types...]', 'of these types only')
    .option('--only-changes', 'without what there is already')
    .action((types: string[], options: { onlyChanges?: boolean }) => watch(open(), types, options.onlyChanges === true));
}

async function watch(session: Session, words: readonly string[], onlyChanges: boolean): Promise<void> {
  const request = { types: words.map(parseTypeWord), resume: undefined };
  /** Names of what may be deleted: a deletion tells the uuid only. */
  const names = new Map<string, string>();
  const show = (event: string, resource: Resource): void => {
    names.set(metaOf(resource).uuid, objectName(resource));
    session.write(eventText(session, event, resource));
  };
  let isFirst = true;
  await withConfigApi(session, async (client) => {
    for await (const { kind } of openServerStream(client, 'watch', request, { signal: session.signal })) {
      switch (kind?.$case) {
        case 'snapshot':
          for (const resource of kind.value.resources) {
            if (!onlyChanges && isFirst) show('present', resource);
            else names.set(metaOf(resource).uuid, objectName(resource));
          }
          break;
        case 'inSync':
          isFirst = false;
          break;
        case 'changes':
          for (const change of kind.value.changes) {
            if (change.resource === undefined) session.write(deletionText(session, change, names));
            else show(names.has(change.uuid) ? 'changed' : 'created', change.resource);
          }
          break;
        case 'resync':
          session.write(`config-api begins again: ${kind.value.reason}\n`);
          break;
        case undefined:
          break;
      }
    }
  });
}

function eventText(session: Session, event: string, resource: Resource): string {
  const { revision } = metaOf(resource);
  const value = { event, object: toManifest(resource) };
  const text = toFormat(session.options.output, value, () => `${event.padEnd(8)} ${objectName(resource)}  revision ${revision}\n`);
  return session.options.output === 'yaml' ? `---\n${text}` : text;
}

function deletionText(session: Session, { uuid, type, revision }: Change, names: Map<string, string>): string {
  const name = names.get(uuid) ?? `${type}/${uuid}`;
  names.delete(uuid);
  const text = toFormat(session.options.output, { event: 'deleted', type, uuid }, () => `deleted  ${name}  revision ${revision}\n`);
  return session.options.output === 'yaml' ? `---\n${text}` : text;
}

