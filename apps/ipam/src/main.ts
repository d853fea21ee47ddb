import { errorText } from '@contrail/errors';
import { logger, startTelemetry } from '@contrail/telemetry';

// Tracing first: it instruments grpc-js while that is loaded.
const telemetry = startTelemetry('ipam');

async function main(): Promise<void> {
  const [{ loadConfig }, { run }] = await Promise.all([import('./config.js'), import('./run.js')]);
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
  logger('ipam').error('cannot start', { error: errorText(error) });
  process.exitCode = 1;
  process.exit();
});
