import { Argument, CommanderError } from 'commander';
import type { Command } from 'commander';
import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import { metaOf } from '@contrail/resource-model';
import { listAll } from '../config-api/list-all';
import { parseTypeWord } from '../config-api/resource-words';
import { withConfigApi } from '../session';
import type { Session } from '../session';
import { complete } from './complete';
import { scripts, shells } from './scripts';
import type { Shell } from './scripts';

/** Somebody waits at a prompt. */
const namesDeadlineMs = 2_000;
/** After the candidates: no files, as kubectl's plugins say it. */
const noFiles = ':4';

/** Adds `completion SHELL`. */
export function addCompletionCommands(program: Command, open: () => Session): void {
  program
    .command('completion')
    .description('the script with which a shell completes commands, types and names')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => open().write(scripts[shell]));
}

/** What the script of a shell asks for. @param words everything on the command line; the last one is being typed. */
export async function printCandidates(program: Command, words: readonly string[], open: () => Session): Promise<void> {
  readOptions(program, words.slice(0, -1));
  const session = open();
  const found = await complete(program, words, {
    names: (type) => inTime(namesOf(session, type)),
    ends: () => inTime(endsOf(session)),
  });
  session.write([...found, noFiles, ''].join('\n'));
}

/** Where to find config-api may be among the words. A command line that is not finished has mistakes. */
function readOptions(program: Command, words: readonly string[]): void {
  program.exitOverride().configureOutput({ writeErr: () => undefined });
  try {
    program.parseOptions([...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
}

async function inTime(names: Promise<string[]>): Promise<string[]> {
  const late = new Promise<string[]>((resolve) => setTimeout(() => resolve([]), namesDeadlineMs).unref());
  return await Promise.race([names.catch(() => []), late]);
}

async function namesOf(session: Session, type: string): Promise<string[]> {
  const found = await withConfigApi(session, (client) => listAll(client, parseTypeWord(type)));
  return found.map((resource) => metaOf(resource).fqName.join(':'));
}

async function endsOf(session: Session): Promise<string[]> {
  const types = ['virtual-machine-interface', 'loadbalancer', 'virtual-router'] as const;
  const [interfaces = [], loadbalancers = [], routers = []] = await withConfigApi(session, (client) => Promise.all(types.map((type) => listAll(client, type))));
  return [
    ...interfaces.flatMap((resource) => endOf('pod', 'Pod', metaOf(resource))),
    ...loadbalancers.flatMap((resource) => endOf('svc', 'Service', metaOf(resource))),
    ...routers.map((resource) => `node/${metaOf(resource).fqName.at(-1) ?? ''}`),
  ];
}

/** Objects that kube-manager made know what of. */
function endOf(word: string, kubeKind: string, { annotations }: Meta): string[] {
  const { kind, namespace, name } = annotations;
  return kind === kubeKind && namespace !== undefined && name !== undefined ? [`${word}/${namespace}/${name}`] : [];
}
