import { parseArguments, usage, type Invocation } from './arguments';
import { buildGroups, deploy, execute, loadImage, printLogs, runKubectl } from './commands';
import { stopSandbox } from './down';
import { SandboxFailure, textOf } from './failure';
import { say, step } from './progress';
import { runForwarder } from './rest-endpoint';
import { findSandbox, getSandbox } from './sandbox';
import { readSettings, type Settings } from './settings';
import { printStatus } from './status';
import { startSandbox, withSandboxLock } from './up';
import { printToken } from './user-token';

/** @returns the exit status. */
async function perform(settings: Settings, { name, command }: Invocation): Promise<number> {
  switch (command.kind) {
    case 'help':
      process.stdout.write(usage);
      return 0;
    case 'up':
      await withSandboxLock(settings, name, () => startSandbox(settings, { ...command, name }));
      return printStatus(await getSandbox(settings, name)).then(() => 0);
    case 'down':
      return withSandboxLock(settings, name, async () => {
        const sandbox = await findSandbox(settings, name);
        if (sandbox === undefined) say(`sandbox "${name}": does not run`);
        else await step(`stopping sandbox "${name}"`, () => stopSandbox(sandbox));
        return 0;
      });
    case 'deploy':
      return withSandboxLock(settings, name, async () => deploy(await getSandbox(settings, name)));
    case 'build':
      return buildGroups(settings, command.groups);
    case 'status':
      return printStatus(await getSandbox(settings, name));
    case 'kubeconfig':
      process.stdout.write(`${(await getSandbox(settings, name)).adminKubeconfig}\n`);
      return 0;
    case 'kubectl':
      return runKubectl(await getSandbox(settings, name), command.args);
    case 'exec':
      return execute(await getSandbox(settings, name), command.node, command.args);
    case 'load-image':
      return loadImage(await getSandbox(settings, name), command.file);
    case 'token': {
      const { role, namespace } = command;
      return printToken(await getSandbox(settings, name), { role, namespace });
    }
    case 'forward': {
      const { socket, portsFile, rest, identity } = command;
      return runForwarder(socket, portsFile, { rest, identity });
    }
    case 'logs':
      return printLogs(await getSandbox(settings, name), command.component, command.args);
  }
}

async function main(): Promise<number> {
  try {
    return await perform(readSettings(process.env), parseArguments(process.argv.slice(2)));
  } catch (thrown: unknown) {
    const isExpected = thrown instanceof SandboxFailure;
    const text =
      !isExpected && thrown instanceof Error ? (thrown.stack ?? thrown.message) : textOf(thrown);
    process.stderr.write(`sandbox: ${text}\n`);
    return isExpected ? thrown.exitStatus : 1;
  }
}

void main().then((status) => {
  process.exitCode = status;
});
