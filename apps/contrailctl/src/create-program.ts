import { Command, Option } from 'commander';
import { addAgentCommands } from './agent/agent-commands';
import type { Config } from './config';
import { addConfigCommands } from './config-api/config-commands';
import { defaultsOf } from './session';
import type { GlobalOptions, Session } from './session';

export interface ProgramPorts {
  readonly config: Config;
  readonly signal: AbortSignal;
  write(text: string): void;
}

/** The command line. */
export function createProgram({ config, signal, write }: ProgramPorts): Command {
  const defaults = defaultsOf(config);
  const program = new Command('contrailctl')
    .description('Shows what the vRouters hold and what the configuration is.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--socket <path>', "unix socket of this node's agent", defaults.socket)
    .option('--node <address>', 'ask the agent of another node, with TLS')
    .option('--config-api <address>', 'config-api, with TLS', defaults.configApi)
    .option('--tls-cert <file>', 'own certificate', defaults.tlsCert)
    .option('--tls-key <file>', 'its key', defaults.tlsKey)
    .option('--tls-ca <file>', 'the authority', defaults.tlsCa)
    .showHelpAfterError();
  const open = (): Session => ({ options: program.opts<GlobalOptions>(), signal, write });
  addAgentCommands(program, open);
  addConfigCommands(program, open);
  return program;
}
