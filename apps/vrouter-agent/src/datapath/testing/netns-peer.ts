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
  /** Hexadecimal content of a datagram, instead of `size` bytes. */
  readonly payload?: string;
}

/** A process inside a network namespace; see netns-peer.cjs. */
export class NetnsPeer {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private nextId = 1;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
  }

  static async start(netnsPath: string): Promise<NetnsPeer> {
    const script = join(__dirname, 'netns-peer.cjs');
    const child = spawn('nsenter', [`--net=${netnsPath}`, process.execPath, script]);
    child.stderr.pipe(process.stderr);
    const peer = new NetnsPeer(child);
    await new Promise<void>((resolve) => peer.waiting.set(0, () => resolve()));
    return peer;
  }

  serveTcp(port: number, name: string, host?: string): Promise<Answer> {
    return this.command({ op: 'serveTcp', port, name, host });
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
    return new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.stdin.end();
    });
  }

  private command(command: object): Promise<Answer> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    });
  }
}
