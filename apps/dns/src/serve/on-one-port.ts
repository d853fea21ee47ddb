import type { ListeningServer } from './udp-server';

const attemptsMax = 20;

/**
 * Starts a UDP and a TCP server on the same port. When the kernel chooses it (`port` 0), it chooses one that is free for UDP:
 * where TCP has it already, both try another.
 *
 * @throws what `startUdp` or `startTcp` throws; no server stays.
 */
export async function onOnePort<Udp extends ListeningServer, Tcp>(
  port: number,
  startUdp: (port: number) => Promise<Udp>,
  startTcp: (port: number) => Promise<Tcp>,
): Promise<{ udp: Udp; tcp: Tcp }> {
  for (let attempt = 1; ; attempt++) {
    const udp = await startUdp(port);
    try {
      return { udp, tcp: await startTcp(udp.port) };
    } catch (error: unknown) {
      await udp.stop();
      if (port !== 0 || attempt === attemptsMax) throw error;
    }
  }
}
