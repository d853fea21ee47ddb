import { runService } from '@contrail/telemetry';

/** Until the nodes have stopped sending questions here. */
const drainMs = 3000;

runService(
  'dns',
  async () => {
    const { run } = await import('./run.js');
    return run(process.env);
  },
  { drainMs },
);
