import { runService } from '@contrail/telemetry';

runService('config-api', async () => {
  const [{ loadConfig }, { run }] = await Promise.all([import('./config.js'), import('./run.js')]);
  return run(loadConfig());
});
