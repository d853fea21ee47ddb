import { staticTls } from '@contrail/rpc';
import { logger, startAdminServer } from '@contrail/telemetry';
import { testPki } from '@contrail/testing';
import { connectConfigApi } from '../src/config-api-client';
import { startControl } from '../src/start-control';
import { clusterResources, nodeResource, podResources, serviceResources } from '../testing/cluster';
import { testSettings } from '../testing/compiled';
import { FakeConfigApi } from '../testing/fake-config-api';
import { TestAgent } from '../testing/test-agent';

const log = logger('dev');
const newPodIntervalMs = 5_000;
const podsMax = 250;

/** Two nodes with a pod each and a service, and one pod more every five seconds; an agent counts what node1 gets. */
export async function serveControl(): Promise<{ stop(): Promise<void> }> {
  const pki = testPki();
  const configApi = new FakeConfigApi();
  configApi.transact([
    ...clusterResources(),
    ...[1, 2].flatMap((n) => [nodeResource(n), ...podOf(n)]),
    ...serviceResources({
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
    listenAddress: '127.0.0.1:9003',
    tls,
    configApi: connectConfigApi(`127.0.0.1:${configPort}`, tls),
    settings: testSettings,
    pendingMax: 50_000,
  });
  const admin = await startAdminServer({
    address: { host: '127.0.0.1', port: 9103 },
    live: () => [],
    ready: () => control.problems(),
  });
  const agentTls = staticTls(pki.issue('vrouter-agent', { node: 'node1' }));
  const agent = new TestAgent({ port: control.port, tls: agentTls, node: 'node1' });
  log.info('control serves agents', { port: control.port, admin: admin.port });
  let pods = 2;
  const timer = setInterval(() => {
    pods += 1;
    configApi.transact(podOf(pods));
    log.info('node1 has', { revision: agent.revision, entries: agent.entries.size, batches: agent.batches.length });
    if (pods === podsMax) clearInterval(timer);
  }, newPodIntervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await agent.close();
      await admin.stop();
      await control.stop();
      await configApi.stop();
    },
  };
}

function podOf(n: number): ReturnType<typeof podResources> {
  return podResources({ n, node: `node${((n + 1) % 2) + 1}`, address: `10.47.255.${n}` });
}
