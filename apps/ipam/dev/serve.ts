/**
 * `npx nx serve ipam`: the whole service against a real Redis of its own and a fake config-api that has
 * a pod network (10.32.0.0/12) and a service network (10.96.0.0/12).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTelemetry } from '@contrail/telemetry';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

const telemetry = startTelemetry('ipam');

async function main(): Promise<void> {
  const [testing, rpc, model, { FakeConfigApi }, { loadConfig }, { run }] = await Promise.all([
    import('@contrail/testing'),
    import('@contrail/rpc'),
    import('@contrail/resource-model'),
    import('./fake-config-api.js'),
    import('../src/config.js'),
    import('../src/run.js'),
  ]);
  const folder = mkdtempSync(path.join(tmpdir(), 'ipam-'));
  const pki = testing.testPki();
  const save = (name: string, content: Buffer): string => {
    writeFileSync(path.join(folder, name), content, { mode: 0o600 });
    return path.join(folder, name);
  };
  const objectOf = (
    type: 'network-ipam' | 'virtual-network',
    name: string,
    fields: object,
  ): Resource => {
    const fqName = ['default-domain', 'k8s-default', name];
    const uuid = model.wellKnownUuid(type, fqName);
    return model.toResource(type, { ...fields, meta: { uuid, fqName } });
  };
  const configApi = new FakeConfigApi();
  const networks = [
    ['pod', '10.32.0.0'],
    ['service', '10.96.0.0'],
  ].map(([role, ipPrefix]) => {
    const subnets = [{ subnet: { ipPrefix, ipPrefixLen: 12 } }];
    const ipam = objectOf('network-ipam', `k8s-${role}-ipam`, {
      ipamSubnetMethod: 'flat-subnet',
      ipamSubnets: { subnets },
    });
    const network = objectOf('virtual-network', `k8s-default-${role}-network`, {
      networkIpamRefs: [{ uuid: model.metaOf(ipam).uuid }],
    });
    configApi.put(ipam);
    configApi.put(network);
    return `${role} network ${model.metaOf(network).uuid}`;
  });
  const neighbour = await rpc.startServer({
    address: '127.0.0.1:0',
    tls: rpc.staticTls(pki.issue('config-api')),
    services: [configApi.service()],
  });
  const own = pki.issue('ipam');
  const client = pki.issue('contrailctl');
  save('contrailctl.crt', client.cert);
  save('contrailctl.key', client.key);
  const redis = await testing.startRedis();
  const running = await run(
    loadConfig({
      LISTEN_ADDRESS: '127.0.0.1:9002',
      ADMIN_ADDRESS: '127.0.0.1:9102',
      REDIS_URL: redis.url,
      CONFIG_API_ADDRESS: `127.0.0.1:${neighbour.port}`,
      TLS_CERT_FILE: save('tls.crt', own.cert),
      TLS_KEY_FILE: save('tls.key', own.key),
      TLS_CA_FILE: save('ca.crt', own.ca),
      ...process.env,
    }),
  );
  process.stdout.write(
    `ipam serves gRPC on 127.0.0.1:${running.port}; a client certificate is in ${folder}:\n` +
      `  contrailctl.crt contrailctl.key ca.crt\n${networks.join('\n')}\n`,
  );
  const stop = async (): Promise<void> => {
    await running.stop();
    await neighbour.stop(0);
    await redis.stop();
    await telemetry.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

void main();
