/**
 * The agent over the kernel, for measurements (tools/bench): everything as in main.ts, except that control is
 * reached without certificates. The environment is that of the agent; prints "ready" when its CNI socket is
 * there, and ends with its standard input.
 */
import { startTelemetry } from '@contrail/telemetry';

async function main(): Promise<void> {
  const telemetry = startTelemetry('vrouter-agent');
  const [{ startAgent }, { loggedPodEvents }, { loadConfig }, { createKernelDatapath }] = await Promise.all([
    import('../src/agent-process.js'),
    import('../src/cni-server/kube-pod-events.js'),
    import('../src/config.js'),
    import('../src/datapath/index.js'),
  ]);
  const config = loadConfig(process.env);
  const { bpfObjectFile, bpfPinPath, flowCapacity } = config;
  const datapath = await createKernelDatapath({ objectFile: bpfObjectFile, pinPath: bpfPinPath, flowCapacity });
  const identity = { problem: undefined, start: () => Promise.resolve('insecure' as const) };
  const agent = await startAgent({ config, datapath, identity, events: loggedPodEvents });
  process.stdout.write('ready\n');
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await Promise.all([agent.stop(), telemetry.stop()]);
  process.exit(0);
}

main().catch((error: unknown) => {
  process.stderr.write(`measured-agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
