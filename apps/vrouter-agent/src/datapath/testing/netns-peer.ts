import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Answer {
  readonly id: number;
  readonly error?: string;
  /** First line (TCP) or datagram (UDP) of the server: its name and the client as it sees it. */
  readonly greeting?: string;
  readonly echoed?: number;
  readonly elapsedMs?: number;
}

export interface ConnectOptions {
  readonly size?: number;
  readonly localPort?: number;
  readonly localAddress?: string;
  readonly timeoutMs?: number;
  /** A datagram with a UDP checksum of zero. */
  readonly noChecksum?: boolean;
  /** The answer to a datagram shall be as long as itself. */
  readonly echo?: boolean;
  /** Hexadecimal content of a datagram, instead of `size` bytes. */
  readonly payload?: string;
}

/** A process inside a network namespace; see netns-peer.cjs. It begins with the first command. */
export class NetnsPeer {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private child: ChildProcessWithoutNullStreams | undefined;
  private nextId = 1;

  constructor(private readonly netnsPath: string) {}

  serveTcp(port: number, name: string, host?: string): Promise<Answer> {
    return this.command({ op: 'serveTcp', port, name, host });
  }

  /** A connection that stays open: the answer's `id` names it. */
  openTcp(host: string, port: number): Promise<Answer> {
    return this.command({ op: 'openTcp', host, port });
  }

  /** Sends bytes over an open connection and waits for their echo. */
  exchangeTcp(connection: number, options: ConnectOptions = {}): Promise<Answer> {
    return this.command({ op: 'exchangeTcp', connection, ...options });
  }

  serveUdp(port: number, name: string, host?: string): Promise<Answer> {
    return this.command({ op: 'serveUdp', port, name, host });
  }

  connectTcp(host: string, port: number, options: ConnectOptions = {}): Promise<Answer> {
    return this.command({ op: 'connectTcp', host, port, ...options });
  }

  sendUdp(host: string, port: number, options: ConnectOptions = {}): Promise<Answer> {
    return this.command({ op: 'sendUdp', host, port, ...options });
  }

  stop(): Promise<void> {
    const { child } = this;
    if (child === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.stdin.end();
    });
  }

  /** Commands wait in the pipe until the process reads them. */
  private command(command: object): Promise<Answer> {
    const child = (this.child ??= this.start());
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }

  private start(): ChildProcessWithoutNullStreams {
    const script = join(__dirname, 'netns-peer.cjs');
    const child = spawn('nsenter', [`--net=${this.netnsPath}`, process.execPath, script]);
    child.stderr.pipe(process.stderr);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    return child;
  }
}
