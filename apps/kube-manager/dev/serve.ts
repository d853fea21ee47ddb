/**
 * `npx nx serve kube-manager`: the active half alone, with a fake Kubernetes API, config-api and ipam in this
 * process. The fake Kubernetes takes plain HTTP, so objects can be made with curl; what config-api gets is printed.
 */
import { kubeKinds } from '@contrail/kube';
import { describe as describeResource } from '@contrail/resource-model';
import { startAdminServer, startTelemetry } from '@contrail/telemetry';
import { makeNamespace, makeNode, makePod, makeService, makeSlice } from '../testing/kube-makers';
import { World } from '../testing/world';

const telemetry = startTelemetry('kube-manager');

async function main(): Promise<void> {
  const world = await World.create({ sweepIntervalMs: 5_000 });
  const { kube } = world;
  kube.put(kubeKinds.nodes, makeNode('node1', '192.0.2.11'));
  kube.put(kubeKinds.namespaces, makeNamespace('blue'));
  kube.put(kubeKinds.pods, makePod('blue', 'web-1'));
  kube.put(kubeKinds.services, makeService('blue', 'web'));
  kube.put(kubeKinds.endpointSlices, makeSlice('blue', 'web', [{ address: '10.47.255.252', pod: 'web-1' }]));
  world.startLeader();
  const admin = await startAdminServer({
    address: { host: '127.0.0.1', port: 9104 },
    live: () => [],
    ready: () => world.health.problems(),
  });
  const { host, port } = kube.connection;
  process.stdout.write(
    `Kubernetes API  http://${host}:${port}/api/v1/pods\n` +
      `metrics, health http://127.0.0.1:${admin.port}/metrics /readyz\n` +
      `make a pod      curl http://${host}:${port}/api/v1/namespaces/blue/pods -d '{"metadata":{"namespace":"blue",` +
      `"name":"web-2"},"spec":{"nodeName":"node1","containers":[]}}'\n` +
      `remove it       curl -X DELETE http://${host}:${port}/api/v1/namespaces/blue/pods/web-2\n`,
  );
  printTransactions(world);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void Promise.all([world.close(), admin.stop()])
        .then(() => telemetry.stop())
        .then(() => process.exit(0));
    });
  }
}

function printTransactions(world: World): void {
  let printed = 0;
  setInterval(() => {
    for (const operations of world.config.transactions.slice(printed)) {
      for (const { kind } of operations) {
        if (kind === undefined) continue;
        const resource = kind.$case === 'delete' ? undefined : kind.value.resource;
        const what = kind.$case === 'delete' ? `${kind.value.key?.type} ${kind.value.key?.uuid}` : '';
        process.stdout.write(`  ${kind.$case.padEnd(7)} ${resource === undefined ? what : describeResource(resource)}\n`);
      }
    }
    printed = world.config.transactions.length;
  }, 200);
}

void main();
