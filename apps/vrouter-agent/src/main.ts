import { runService } from '@contrail/telemetry';

runService('vrouter-agent', async () => {
  const { run } = await import('./run.js');
  return run(process.env);
});
