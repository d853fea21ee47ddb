import { errorText } from '@contrail/errors';
import { logger } from '@contrail/telemetry';
import { loadConfig } from './config';
import { run } from './run';

/** Runs until SIGTERM or SIGINT; a failure is the exit status and the last line of the error output. */
export async function runProcess(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => stopping.abort(new Error(`got ${name}`)));
  }
  try {
    await run(loadConfig(), stopping.signal);
  } catch (error) {
    logger('process').error('kube-manager stops', { error });
    process.stderr.write(`kube-manager: ${errorText(error)}\n`);
    process.exitCode = 1;
  }
}
