import { startTelemetry } from '@contrail/telemetry';

const telemetry = startTelemetry('dns');

/** The real process against an API server that has the services of the unit tests; no cluster, no privileges. */
async function main(): Promise<void> {
  const [{ loadConfig }, { startDns }, { registerState }, cluster, { startFakeKubeApi }] = await Promise.all([
    import('../src/config.js'),
    import('../src/dns-process.js'),
    import('../src/serve/metrics.js'),
    import('../src/testing/cluster.js'),
    import('../src/testing/fake-kube-api.js'),
  ]);
  const api = await startFakeKubeApi({
    services: cluster.services,
    endpointslices: cluster.slices,
    namespaces: cluster.namespaces.map((name) => ({ metadata: { name, resourceVersion: '1' } })),
  });
  const config = loadConfig({
    KUBERNETES_SERVICE_HOST: api.connection.host,
    DNS_ADDRESS: '127.0.0.1:5353',
    LISTEN_ADDRESS: '127.0.0.1:9005',
    ADMIN_ADDRESS: '127.0.0.1:9105',
    POD_SUBNETS: '10.32.0.0/12',
    SERVICE_SUBNETS: '10.96.0.0/12',
    CLUSTER_DNS: '10.96.0.10',
    ...process.env,
  });
  const dns = await startDns(config, api.connection);
  registerState(dns.state);
  process.stdout.write(`dig @127.0.0.1 -p ${dns.dnsPort} web.blue.svc.cluster.local\n`);
  process.stdout.write(`curl http://127.0.0.1:${dns.adminPort}/metrics\n`);
  const stop = (): void => {
    void Promise.all([dns.stop(), api.stop()])
      .then(() => telemetry.stop())
      .finally(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`dns: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
