import { startTelemetry } from '@contrail/telemetry';

// Before anything loads grpc-js, so that its calls are traced.
const telemetry = startTelemetry('kube-manager');

async function main(): Promise<void> {
  const { errorText } = await import('@contrail/errors');
  const { logger } = await import('@contrail/telemetry');
  const { loadConfig } = await import('./config.js');
  const { run } = await import('./run.js');
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => stopping.abort(new Error(`got ${name}`)));
  }
  try {
    await run(loadConfig(), stopping.signal);
  } catch (error) {
    logger('main').error('kube-manager stops', { error });
    process.stderr.write(`kube-manager: ${errorText(error)}\n`);
    process.exitCode = 1;
  } finally {
    await telemetry.stop();
  }
}

void main();
