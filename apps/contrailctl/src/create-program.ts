import { Command, Option } from 'commander';
import { addAgentCommands } from './agent/agent-commands';
import type { Config } from './config';
import { addConfigCommands } from './config-api/config-commands';
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

/** The command line. */
export function createProgram({ config, signal, write, exit }: ProgramPorts): Command {
  const defaults = defaultsOf(config);
  const program = new Command('contrailctl')
    .description('Shows what the vRouters hold and what the configuration is.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'))
    .option('--socket <path>', "unix socket of this node's agent", defaults.socket)
    .option('--node <address>', 'ask the agent of another node, with TLS')
    .option('--config-api <address>', 'config-api, with TLS', defaults.configApi)
    .option('--ipam <address>', 'ipam, with TLS', defaults.ipam)
    .option('--kubeconfig <file>', 'how to reach Kubernetes', defaults.kubeconfig)
    .option('--tls-cert <file>', 'own certificate', defaults.tlsCert)
    .option('--tls-key <file>', 'its key', defaults.tlsKey)
    .option('--tls-ca <file>', 'the authority', defaults.tlsCa)
    .showHelpAfterError();
  const open = (): Session => ({ options: program.opts<GlobalOptions>(), signal, write, exit, kubernetes: config.kubernetes });
  addAgentCommands(program, open);
  addConfigCommands(program, open);
  addVerifyCommand(program, open);
  return program;
}
