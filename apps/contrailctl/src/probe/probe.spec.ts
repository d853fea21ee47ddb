import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { dialIcmp, dialTargets } from './dial-probe';
import type { DialTarget } from './dial-probe';
import { serveProbe } from './serve-probe';
import type { RunningProbe } from './serve-probe';

const address = '127.0.0.1';
const dial = async (target: Partial<DialTarget> & { port: number }): Promise<string | undefined> =>
  (await dialTargets([{ address, protocol: 'tcp', isSilent: false, ...target }], 1000))[0];

describe('a prober', () => {
  let probe: RunningProbe;
  let mute: Server;
  beforeAll(async () => {
    probe = await serveProbe('blue/web', { tcp: 0, udp: 0 });
    mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, address, resolve));
  });
  afterAll(async () => {
    await probe.stop();
    await new Promise((resolve) => mute.close(resolve));
  });

  it('says its name over TCP and UDP', async () => {
    expect(await dial({ port: probe.ports.tcp })).toBe('blue/web');
    expect(await dial({ port: probe.ports.udp, protocol: 'udp' })).toBe('blue/web');
  });

  it('is content with a connection to somebody silent, if that is expected', async () => {
    const { port } = mute.address() as AddressInfo;
    expect(await dial({ port, isSilent: true })).toBe('connected');
    expect(await dial({ port })).toBe('!timeout');
  });

  it('hears an echo of ICMP, and silence', async () => {
    expect(await dial({ port: 0, protocol: 'icmp', isSilent: true })).toBe('connected');
    expect(await dial({ port: 0, protocol: 'icmp', isSilent: true, address: '255.255.255.255' })).toMatch(/^!/);
  });

  it('does not take it for silence that it cannot send ICMP', async () => {
    const target: DialTarget = { address, protocol: 'icmp', port: 0, isSilent: true };
    await expect(dialIcmp(target, 1000, '/nowhere/busybox')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('says why nobody answers', async () => {
    const gone = await serveProbe('gone', { tcp: 0, udp: 0 });
    await gone.stop();
    expect(await dial({ port: gone.ports.tcp })).toBe('!ECONNREFUSED');
    expect(await dial({ port: gone.ports.udp, protocol: 'udp' })).toBe('!ECONNREFUSED');
  });
});
