import { Command, Option } from 'commander';
import { addAgentCommands } from './agent/agent-commands';
import type { Config } from './config';
import { addCompletionCommands, printCandidates } from './completion/completion-commands';
import { addProgressCommand } from './config-api/progress-command';
import { addReadCommands } from './config-api/read-commands';
import { addWatchCommand } from './config-api/watch-command';
import { addWriteCommands } from './config-api/write-commands';
import { formats } from './output/print';
import { addReachCommand } from './reach/reach-command';
import { addProbeCommands } from './probe/probe-command';
import { addSelftestCommand } from './selftest/selftest-command';
import { defaultsOf } from './session';
import { addVerifyCommand } from './verify/verify-command';
import type { GlobalOptions, Session } from './session';

export interface ProgramPorts {
  readonly config: Config;
  readonly signal: AbortSignal;
  write(text: string): void;
  /** Sets the exit status of the program. */
  exit(status: number): void;
}

/** Runs the command line. @param words everything after the program's name. */
export async function runProgram(ports: ProgramPorts, words: readonly string[]): Promise<void> {
  const { program, open } = createProgram(ports);
  if (words[0] === '__complete') await printCandidates(program, words.slice(1), open);
  else await program.parseAsync([...words], { from: 'user' });
}

interface Program {
  readonly program: Command;
  /** With the options of the command line, once they are parsed. */
  open(): Session;
}

function createProgram({ config, signal, write, exit }: ProgramPorts): Program {
  const defaults = defaultsOf(config);
  const program = new Command('contrailctl')
    .description('Reads and changes the configuration, and shows what the vRouters hold.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'))
    .option('--socket <path>', "unix socket of this node's agent", defaults.socket)
    .option('--node <address>', 'ask the agent of another node, with TLS')
    .option('--config-api <address>', 'config-api, with TLS', defaults.configApi)
    .option('--ipam <address>', 'ipam, with TLS', defaults.ipam)
    .option('--control <address>', 'control, with TLS', defaults.control)
    .option('--kubeconfig <file>', 'how to reach Kubernetes', defaults.kubeconfig)
    .option('--token <token>', 'a Kubernetes token in place of a certificate', defaults.token)
    .option('--tls-cert <file>', 'own certificate', defaults.tlsCert)
    .option('--tls-key <file>', 'its key', defaults.tlsKey)
    .option('--tls-ca <file>', 'the authority', defaults.tlsCa)
    .showHelpAfterError();
  const open = (): Session => ({ options: program.opts<GlobalOptions>(), signal, write, exit, kubernetes: config.kubernetes });
  addAgentCommands(program, open);
  addReadCommands(program, open);
  addWriteCommands(program, open);
  addWatchCommand(program, open);
  addProgressCommand(program, open);
  addVerifyCommand(program, open);
  addReachCommand(program, open);
  addSelftestCommand(program, open);
  addProbeCommands(program, open);
  addCompletionCommands(program, open);
  return { program, open };
}
