import { setMaxListeners } from 'node:events';
import { ContrailError, errorText } from '@contrail/errors';
import { readClusterAccess } from './cluster-access';
import { loadConfig } from './config';
import { runProgram } from './create-program';

async function main(): Promise<void> {
  const abort = new AbortController();
  // Everything that waits listens to it.
  setMaxListeners(0, abort.signal);
  // Whoever is interrupted cleans up first.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());
  // A reader that has seen enough, like head, is no error.
  process.stdout.on('error', () => process.exit(0));
  const config = loadConfig(process.env);
  const access = config.fromCluster ? await readClusterAccess(config) : undefined;
  const ports = {
    config: access?.config ?? config,
    signal: abort.signal,
    write: (text: string): void => void process.stdout.write(text),
    exit: (status: number): void => void (process.exitCode = status),
  };
  try {
    await runProgram(ports, process.argv.slice(2));
  } finally {
    access?.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`contrailctl: ${error instanceof ContrailError ? error.message : errorText(error)}\n`);
  // A command may have said already what its failure means.
  process.exitCode ||= 1;
});
