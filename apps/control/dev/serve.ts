import { logger, startTelemetry } from '@contrail/telemetry';

// Before anything that loads grpc-js, so that its calls are traced.
const telemetry = startTelemetry('control');

/** Runs control alone, against a config-api in memory. */
async function main(): Promise<void> {
  const { serveControl } = await import('./serve-control.js');
  const running = await serveControl();
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
  logger('dev').error('cannot serve', { error });
  process.exit(1);
});
