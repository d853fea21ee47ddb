import { startTelemetry } from '@contrail/telemetry';

// Before gRPC is loaded, so that its calls are traced.
const telemetry = startTelemetry('vrouter-agent');

async function main(): Promise<void> {
  const [{ loadConfig }, { startAgent }, { createKernelDatapath }, { NodeIdentity }, pods, { systemClock }] =
    await Promise.all([
      import('./config.js'),
      import('./agent-process.js'),
      import('./datapath/index.js'),
      import('./control-client/node-identity.js'),
      import('./cni-server/kube-pod-events.js'),
      import('@contrail/reconcile'),
    ]);
  const config = loadConfig(process.env);
  const { node, bootstrapAddress, tokenFile, caFile, stateFolder, kubernetes } = config;
  const datapath = await createKernelDatapath({
    objectFile: config.bpfObjectFile,
    pinPath: config.bpfPinPath,
    flowCapacity: config.flowCapacity,
  });
  const agent = await startAgent({
    config,
    datapath,
    identity: new NodeIdentity({ node, bootstrapAddress, tokenFile, caFile, stateFolder, clock: systemClock }),
    events: kubernetes ? pods.kubePodEvents({ ...kubernetes, node }) : pods.loggedPodEvents,
  });
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
