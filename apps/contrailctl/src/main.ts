import { ContrailError, errorText } from '@contrail/errors';
import { loadConfig } from './config';
import { createProgram } from './create-program';

async function main(): Promise<void> {
  const abort = new AbortController();
  process.on('SIGINT', () => abort.abort());
  // A reader that has seen enough, like head, is no error.
  process.stdout.on('error', () => process.exit(0));
  const program = createProgram({
    config: loadConfig(process.env),
    signal: abort.signal,
    write: (text) => process.stdout.write(text),
    exit: (status) => (process.exitCode = status),
  });
  await program.parseAsync(process.argv);
}

main().catch((error: unknown) => {
  process.stderr.write(`contrailctl: ${error instanceof ContrailError ? error.message : errorText(error)}\n`);
  process.exitCode = 1;
});
