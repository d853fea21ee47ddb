import type { Argument, Command, Option } from 'commander';
import { typeNames } from '@contrail/resource-model';

export interface CompletionPorts {
  /** Names of the objects of a type; empty when they cannot be read. */
  names(type: string): Promise<readonly string[]>;
  /** Pods, services and nodes, as `reach` takes them; empty when they cannot be read. */
  ends(): Promise<readonly string[]>;
}

/**
 * What may follow on the command line.
 * @param words everything after the program's name; the last is the word that is being typed, '' for a new one.
 */
export async function complete(program: Command, words: readonly string[], ports: CompletionPorts): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const { command, positional, option } = walk(program, words.slice(0, -1));
  const all = option !== undefined ? valuesOf(option) : await candidates(program, { command, positional, current }, ports);
  return [...new Set(all)].filter((candidate) => candidate.startsWith(current)).sort();
}

interface Position {
  readonly command: Command;
  /** Arguments of the command so far. */
  readonly positional: readonly string[];
  /** The option whose value is being typed. */
  readonly option: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Position {
  let command = program;
  let option: Option | undefined;
  const positional: string[] = [];
  for (const word of words) {
    if (option !== undefined) {
      option = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      option = [...command.options, ...program.options].find(({ long, short }) => word === long || word === short);
      if (option !== undefined && !option.required && !option.optional) option = undefined;
      continue;
    }
    const next = positional.length === 0 ? command.commands.find((candidate) => candidate.name() === word) : undefined;
    if (next === undefined) positional.push(word);
    else command = next;
  }
  return { command, positional, option };
}

async function candidates(
  program: Command,
  { command, positional, current }: { command: Command; positional: readonly string[]; current: string },
  ports: CompletionPorts,
): Promise<readonly string[]> {
  if (current.startsWith('-')) {
    const options = new Set([...command.options, ...program.options]);
    return [...options].flatMap(({ long }) => long ?? []);
  }
  const commands = positional.length === 0 ? command.commands.map((candidate) => candidate.name()).filter((name) => !name.startsWith('_')) : [];
  const argument = argumentAt(command, positional.length);
  if (argument === undefined) return commands;
  switch (argument.name()) {
    case 'type':
    case 'types':
      return [...commands, ...typeNames];
    case 'name':
    case 'names':
      return [...commands, ...(await ports.names(positional[0] ?? ''))];
    case 'from':
    case 'to':
      return [...commands, ...(await ports.ends())];
    default:
      return [...commands, ...(argument.argChoices ?? [])];
  }
}

function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic === true ? last : undefined);
}

function valuesOf(option: Option): readonly string[] {
  return option.argChoices ?? [];
}
