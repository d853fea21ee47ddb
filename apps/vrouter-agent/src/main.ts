import { startTelemetry } from '@contrail/telemetry';

// Before gRPC is loaded, so that its calls are traced.
const telemetry = startTelemetry('vrouter-agent');

async function main(): Promise<void> {
  const { run } = await import('./run.js');
  const agent = await run(process.env);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void agent
      .stop()
      .then(() => telemetry.stop())
      .finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`vrouter-agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
