import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { question } from './serve-probe';

export interface DialTarget {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** Whoever is there says no name: an accepted connection is the answer. */
  readonly isSilent: boolean;
}

/** Of an accepted connection to somebody silent. */
export const connected = 'connected';
/** Before the reason why nobody answered. */
export const failurePrefix = '!';

const answerMs = 2000;
const udpTries = 4;

/** @returns for each target the name of who answered, or "!" and why nobody did. */
export async function dialTargets(targets: readonly DialTarget[], timeoutMs = answerMs): Promise<string[]> {
  return await Promise.all(targets.map((target) => (target.protocol === 'tcp' ? dialTcp(target, timeoutMs) : dialUdp(target, timeoutMs))));
}

function dialTcp({ address, port, isSilent }: DialTarget, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (answer: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(`${failurePrefix}timeout`), timeoutMs);
    socket.on('error', (error) => finish(failureText(error)));
    if (isSilent) socket.on('connect', () => finish(connected));
    socket.on('data', (data) => finish(data.toString().split('\n')[0] ?? ''));
    socket.on('end', () => finish(`${failurePrefix}closed without a word`));
  });
}

/** UDP promises nothing, so it asks several times. */
function dialUdp({ address, port }: DialTarget, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    let repeat: NodeJS.Timeout | undefined;
    const finish = (answer: string): void => {
      clearTimeout(timer);
      clearInterval(repeat);
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(`${failurePrefix}timeout`), timeoutMs);
    socket.on('error', (error) => finish(failureText(error)));
    socket.on('message', (message) => finish(message.toString()));
    socket.connect(port, address, () => {
      socket.send(question);
      repeat = setInterval(() => socket.send(question), timeoutMs / udpTries);
    });
  });
}

function failureText(error: NodeJS.ErrnoException): string {
  return `${failurePrefix}${error.code ?? error.message}`;
}
