import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeKinds } from '@contrail/kube';
import { staticTls } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import { FakeKubeApi } from '../../../libs/kube/testing/fake-kube-api';
import { FakeConfigApi } from '../testing/fake-config-api';
import { FakeIpam } from '../testing/fake-ipam';
import { makeNamespace } from '../testing/kube-makers';
import { becomes, eventually } from '../testing/world';
import { loadConfig } from './config';
import { run } from './run';

jest.setTimeout(30_000);

describe('run', () => {
  let folder: string;
  let kube: FakeKubeApi;
  let config: FakeConfigApi;
  let ipam: FakeIpam;
  const running: { stop: AbortController; done: Promise<void> }[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-manager-'));
    const pki = testPki();
    const { ca, cert, key } = pki.issue('kube-manager');
    for (const [name, content] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, name), content);
    serverTls = { config: staticTls(pki.issue('config-api')), ipam: staticTls(pki.issue('ipam')) };
  });
  let serverTls: { config: ReturnType<typeof staticTls>; ipam: ReturnType<typeof staticTls> };
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeEach(async () => {
    kube = await FakeKubeApi.start();
    for (const name of ['kube-system', 'default']) kube.put(kubeKinds.namespaces, makeNamespace(name));
    kube.put(kubeKinds.serviceCidrs, { metadata: { name: 'kubernetes' }, spec: { cidrs: ['10.96.0.0/12'] } });
    config = await FakeConfigApi.start(serverTls.config);
    ipam = await FakeIpam.start({}, serverTls.ipam);
  });
  afterEach(async () => {
    for (const { stop } of running) stop.abort(new Error('the test is over'));
    await Promise.allSettled(running.splice(0).map(({ done }) => done));
    await config.silence();
    await ipam.stop();
    await kube.stop();
  });

  /** @returns the port of /readyz. */
  async function begin(name: string, change: Record<string, string> = {}): Promise<number> {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      `current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:${kube.connection.port}"}}]`,
    );
    const port = await freePort();
    const env = {
      KUBECONFIG: kubeconfig,
      POD_SUBNETS: '10.32.0.0/12',
      SERVICE_SUBNETS: '10.96.0.0/12',
      CONFIG_API_ADDRESS: config.address,
      IPAM_ADDRESS: ipam.address,
      ADMIN_ADDRESS: `127.0.0.1:${port}`,
      POD_NAME: name,
      TLS_CERT_FILE: join(folder, 'cert'),
      TLS_KEY_FILE: join(folder, 'key'),
      TLS_CA_FILE: join(folder, 'ca'),
      ...change,
    };
    const stop = new AbortController();
    running.push({ stop, done: run(loadConfig(env), stop.signal) });
    return port;
  }

  const holder = (): string | undefined =>
    kube.find(kubeKinds.leases, { namespace: 'contrail', name: 'kube-manager' })?.spec?.holderIdentity;
  const ready = (port: number): Promise<string> => fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.text());

  it('stops with an error that names both when the service subnets disagree', async () => {
    await begin('a', { SERVICE_SUBNETS: '10.97.0.0/16' });
    await expect(running[0]?.done).rejects.toThrow(/SERVICE_SUBNETS is 10\.97\.0\.0\/16.*ServiceCIDR\/kubernetes say 10\.96\.0\.0\/12/);
  });

  it('waits for an API server that does not answer, and says so', async () => {
    kube.faults.statuses = [503, 503];
    const port = await begin('a');
    let seen = '';
    await eventually(() => expect(kube.requests.length).toBeGreaterThan(0));
    seen = await ready(port);
    expect(seen).toContain('Kubernetes API: ');
    await becomes(() => config.ofType('virtual-network').length, 3);
    await eventually(() => expect(holder()).toBe('a'));
  });

  it('works in one process only, and hands over when that one stops', async () => {
    await begin('a');
    await eventually(() => expect(holder()).toBe('a'));
    const port = await begin('b');
    await becomes(() => config.ofType('virtual-network').length, 3);
    expect(await ready(port)).toBe('ok\n');
    expect(holder()).toBe('a');
    running[0]?.stop.abort(new Error('stopped by the test'));
    await running[0]?.done;
    await eventually(() => expect(holder()).toBe('b'));
    kube.put(kubeKinds.namespaces, makeNamespace('blue'));
    await becomes(() => config.ofType('security-group').length, 3);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
