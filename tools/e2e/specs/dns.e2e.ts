import { apply, eventually, kubectl, netexecPod, podExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';

describe('cluster DNS', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('dns');
    const ports = [{ name: 'http', port: 80, targetPort: 8080 }, { name: 'udp', port: 81, targetPort: 8081, protocol: 'UDP' }];
    await apply([
      netexecPod('client', ns.name, { labels: { role: 'headless' }, spec: { hostname: 'client', subdomain: 'headless' } }),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: ns.name }, spec: { selector: { app: 'client' }, ports } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'headless', namespace: ns.name }, spec: { clusterIP: 'None', selector: { role: 'headless' }, ports } },
    ]);
    await waitReady(ns.name, ['client']);
  });
  afterAll(() => ns.remove());

  const dig = async (...args: string[]): Promise<string> => (await podExec(ns.name, 'client', ['dig', '+time=2', '+tries=2', '+short', ...args])).stdout.trim();

  it('answers A of a cluster IP over UDP and TCP, by full and by short name', async () => {
    const address = (await kubectl(['-n', ns.name, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    const name = `web.${ns.name}.svc.cluster.local`;
    await eventually('A record', async () => ((await dig(name)) === address ? true : undefined), 20_000);
    expect(await dig('+tcp', name)).toBe(address);
    expect(await dig('+search', 'web')).toBe(address);
    expect(await dig('AAAA', name)).toBe('');
  });

  it('answers A of a headless service and of its pod\'s hostname', async () => {
    const address = await podIp(ns.name, 'client');
    await eventually('A of the headless service', async () => ((await dig(`headless.${ns.name}.svc.cluster.local`)) === address ? true : undefined), 20_000);
    expect(await dig(`client.headless.${ns.name}.svc.cluster.local`)).toBe(address);
  });

  it('answers SRV with the service port, and the endpoint port when headless', async () => {
    expect(await dig('SRV', `_http._tcp.web.${ns.name}.svc.cluster.local`)).toMatch(new RegExp(` 80 web\\.${ns.name}\\.svc\\.cluster\\.local\\.$`));
    expect(await dig('SRV', `_udp._udp.headless.${ns.name}.svc.cluster.local`)).toMatch(/ 8081 client\.headless\./);
  });

  it('answers PTR of a cluster IP and of a headless endpoint', async () => {
    const address = (await kubectl(['-n', ns.name, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}'])).trim();
    expect(await dig('-x', address)).toBe(`web.${ns.name}.svc.cluster.local.`);
    expect(await dig('-x', await podIp(ns.name, 'client'))).toContain(`client.headless.${ns.name}.svc.cluster.local.`);
  });

  it('says NXDOMAIN for what does not exist', async () => {
    const full = await podExec(ns.name, 'client', ['dig', '+time=2', `nothing.${ns.name}.svc.cluster.local`]);
    expect(full.stdout).toContain('NXDOMAIN');
  });
});
