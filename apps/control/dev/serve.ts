/**
 * Runs control alone, against a config-api in memory: two nodes with a pod each and a service, and one
 * pod more every five seconds. An agent of its own prints what node1 gets.
 */
import { logger, startTelemetry } from '@contrail/telemetry';

const telemetry = startTelemetry('control');
const log = logger('dev');

async function serve(): Promise<void> {
  const { connectConfigApi } = await import('../src/config-api-client.js');
  const { startControl } = await import('../src/start-control.js');
  const { staticTls } = await import('@contrail/rpc');
  const { startAdminServer } = await import('@contrail/telemetry');
  const { testPki } = await import('@contrail/testing');
  const cluster = await import('../testing/cluster.js');
  const { FakeConfigApi } = await import('../testing/fake-config-api.js');
  const { TestAgent } = await import('../testing/test-agent.js');

  const pki = testPki();
  const configApi = new FakeConfigApi();
  configApi.transact([
    ...cluster.clusterResources(),
    ...[1, 2].flatMap((n) => [
      cluster.nodeResource(n),
      ...cluster.podResources({ n, node: `node${n}`, address: `10.47.255.${n}` }),
    ]),
    ...cluster.serviceResources({
      n: 1,
      clusterIp: '10.96.0.10',
      port: 80,
      targetPort: 8080,
      members: [1, 2].map((n) => ({ address: `10.47.255.${n}`, pod: n, node: `node${n}` })),
    }),
  ]);
  const configPort = await configApi.listen('127.0.0.1:0', staticTls(pki.issue('config-api')));
  const tls = staticTls(pki.issue('control'));
  const control = await startControl({
    listenAddress: process.env['LISTEN_ADDRESS'] ?? '127.0.0.1:9003',
    tls,
    configApi: connectConfigApi(`127.0.0.1:${configPort}`, tls),
    settings: { clusterName: 'k8s', clusterPodNetwork: 'k8s-default-pod-network' },
    pendingMax: 50_000,
  });
  const admin = await startAdminServer({
    address: { host: '127.0.0.1', port: 9103 },
    live: () => [],
    ready: () => control.problems(),
  });
  const agent = new TestAgent({
    port: control.port,
    tls: staticTls(pki.issue('vrouter-agent', { node: 'node1' })),
    node: 'node1',
  });
  log.info('control serves agents', { port: control.port, admin: admin.port });
  let pods = 2;
  const timer = setInterval(() => {
    pods += 1;
    configApi.transact(cluster.podResources({ n: pods, node: `node${(pods % 2) + 1}`, address: `10.47.255.${pods}` }));
    log.info('node1 has', { revision: agent.revision, entries: agent.entries.size, batches: agent.batches.length });
    if (pods === 250) clearInterval(timer);
  }, 5_000);

  process.once('SIGINT', () => {
    clearInterval(timer);
    void agent
      .close()
      .then(() => admin.stop())
      .then(() => control.stop())
      .then(() => configApi.stop())
      .then(() => telemetry.stop())
      .then(() => process.exit(0));
  });
}

serve().catch((error: unknown) => {
  log.error('cannot serve', { error });
  process.exit(1);
});
