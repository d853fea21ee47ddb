import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { ContrailError } from '@contrail/errors';
import { question } from './serve-probe';

export interface DialTarget {
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  /** 0 for ICMP. */
  readonly port: number;
  /** Whoever is there says no name: an accepted connection, or an echo, is the answer. */
  readonly isSilent: boolean;
}

/** Of an accepted connection to somebody silent, and of an echo. */
export const connected = 'connected';
/** Before the reason why nobody answered. */
export const failurePrefix = '!';

const answerMs = 2000;
const udpTries = 4;
const echoRequests = 2;

/**
 * @returns for each target the name of who answered, or "!" and why nobody did.
 * @throws ContrailError FAILED_PRECONDITION when this process cannot send ICMP: that nobody answered would say nothing then.
 */
export async function dialTargets(targets: readonly DialTarget[], timeoutMs = answerMs): Promise<string[]> {
  return await Promise.all(targets.map((target) => dials[target.protocol](target, timeoutMs)));
}

type Dial = (target: DialTarget, timeoutMs: number) => Promise<string>;
const dials: Readonly<Record<DialTarget['protocol'], Dial>> = { tcp: dialTcp, udp: dialUdp, icmp: dialIcmp };

/**
 * Node has no ICMP sockets; busybox is in the image, and needs CAP_NET_RAW.
 * @throws ContrailError FAILED_PRECONDITION when it is not there, or may not.
 */
export function dialIcmp({ address }: DialTarget, timeoutMs: number, busybox = 'busybox'): Promise<string> {
  const words = ['ping', '-q', '-c', String(echoRequests), '-W', String(Math.ceil(timeoutMs / 1000)), address];
  return new Promise((resolve, reject) => {
    execFile(busybox, words, { timeout: 10 * timeoutMs }, (error, _stdout, stderr) => {
      if (error === null) resolve(connected);
      else if (typeof error.code === 'string' || /are you root|raw socket/.test(stderr)) {
        const problem = stderr.trim() || error.message;
        reject(new ContrailError('FAILED_PRECONDITION', `ICMP to ${address}: ${problem}; run it with busybox and CAP_NET_RAW`, { cause: error }));
      } else resolve(`${failurePrefix}${stderr.trim() || 'timeout'}`);
    });
  });
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
