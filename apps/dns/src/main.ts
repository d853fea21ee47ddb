import { startTelemetry } from '@contrail/telemetry';

// Before gRPC is loaded, so that its calls are traced.
const telemetry = startTelemetry('dns');

/** After the signal, until the nodes have stopped sending questions here. */
const drainMs = 3000;

async function main(): Promise<void> {
  const { run } = await import('./run.js');
  const dns = await run(process.env);
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => {
      void dns
        .stop()
        .then(() => telemetry.stop())
        .finally(() => process.exit(0));
    }, drainMs);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`dns: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
