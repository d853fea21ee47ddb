import { errorText } from '@contrail/errors';
import { logger, startTelemetry } from '@contrail/telemetry';

// Before anything that loads grpc-js, so that its calls are traced.
const telemetry = startTelemetry('control');

async function main(): Promise<void> {
  const { loadConfig } = await import('./config.js');
  const { run } = await import('./run.js');
  const running = await run(loadConfig());
  const stop = (): void => {
    void running
      .stop()
      .then(() => telemetry.stop())
      .then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  logger('control').error('cannot start', { error });
  process.stderr.write(`control: ${errorText(error)}\n`);
  process.exitCode = 1;
  process.exit();
});
