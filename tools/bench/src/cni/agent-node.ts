/** A node in a namespace with the real agent and CNI plugin; control is a program that sends a snapshot. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ip, Namespaces, netnsPath, run } from '../netns';
import type { Programs } from '../programs';
import type { Attachment, Runner } from './cni-run';

export interface AgentNodeOptions {
  /** Pods that control knows on this node, with and without interface. */
  readonly localPods: number;
  /** Pods of other nodes, whose routes the agent has. */
  readonly remotePods: number;
}

async function firstLine(child: ChildProcess, name: string): Promise<string> {
  if (child.stdout === null) throw new Error(`${name}: has no output`);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} ended; see above`);
  });
  ended.catch(() => undefined);
  const line: unknown = (await Promise.race([once(lines, 'line'), ended]))[0];
  return String(line);
}

export class AgentNode {
  readonly #namespaces = new Namespaces(`bench${process.pid}-cni`);
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bench-agent-'));
  readonly #children: ChildProcess[] = [];
  readonly #netns: string;
  #agent: ChildProcess | undefined;

  private constructor(private readonly programs: Programs) {
    mkdirSync(this.#at('bpf'));
    run('mount', '-t', 'bpf', 'bpf', this.#at('bpf'));
    const node = this.#namespaces.add('node');
    this.#netns = netnsPath(node);
    ip('-n', node, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'uplink-peer');
    ip('-n', node, 'addr', 'add', '192.0.2.1/24', 'dev', 'eth0');
    for (const device of ['eth0', 'uplink-peer']) ip('-n', node, 'link', 'set', device, 'up');
  }

  static async start(programs: Programs, options: AgentNodeOptions): Promise<AgentNode> {
    const node = new AgentNode(programs);
    try {
      await node.#start(options);
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  get agentPid(): number {
    return this.#agent?.pid ?? 0;
  }

  /** Calls of the plugin, as containerd makes them. */
  get runner(): Runner {
    const configFile = this.#at('cni.json');
    writeFileSync(configFile, JSON.stringify({ cniVersion: '1.0.0', name: 'contrail', type: 'contrail-cni' }));
    return {
      cnirun: this.programs.cnirun(),
      nodeNetns: this.#netns,
      folder: this.#at('bin'),
      calls: [{ plugin: 'contrail-cni', configFile }],
      env: { CONTRAIL_CNI_SOCKET: this.#at('cni.sock') },
    };
  }

  /** A fresh namespace for each of the pods from..from+count-1, counted from 1. */
  freshPods(from: number, count: number): Attachment[] {
    return Array.from({ length: count }, (_, index) => {
      const n = from + index;
      return {
        containerId: `container${n}`,
        netns: netnsPath(this.#namespaces.add(`pod${n}`)),
        args: `CONTRAIL_VMI=00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
      };
    });
  }

  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    this.#namespaces.removeAll();
    run('umount', this.#at('bpf'));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(options: AgentNodeOptions): Promise<void> {
    const { localPods, remotePods } = options;
    const control = this.#spawn(this.programs.appProgram('vrouter-agent', 'fake-control'), [localPods, remotePods], {});
    const address = await firstLine(control, 'control');
    this.#agent = this.#spawn(this.programs.appProgram('vrouter-agent', 'measured-agent'), [], {
      NODE_NAME: 'node1',
      NODE_IP: '192.0.2.1',
      CONTROL_ADDRESS: address,
      CONFIG_API_ADDRESS: '127.0.0.1:9001',
      CONFIG_API_BOOTSTRAP_ADDRESS: '127.0.0.1:9011',
      STATE_DIR: this.#at('state'),
      AGENT_SOCKET: this.#at('agent.sock'),
      CNI_SOCKET: this.#at('cni.sock'),
      CNI_BIN_DIR: this.#at('bin'),
      CNI_CONFIG_DIR: this.#at('net.d'),
      CNI_SHIM_FILE: path.join(this.programs.script('apps/cni/build.sh', 'cni'), 'contrail-cni'),
      BPF_OBJECT_FILE: path.join(this.programs.script('apps/vrouter-agent/bpf/build.sh', 'bpf'), 'vrouter.bpf.o'),
      BPF_PIN_PATH: this.#at('bpf/contrail'),
      LISTEN_ADDRESS: '127.0.0.1:9006',
      ADMIN_ADDRESS: '127.0.0.1:9106',
      LOG_LEVEL: 'warn',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      NODE_ENV: 'production',
    });
    await firstLine(this.#agent, 'agent');
    await this.#untilReady();
  }

  /** The agent says so itself, in its own namespace. */
  async #untilReady(): Promise<void> {
    const deadline = Date.now() + 60_000;
    const ask = "require('http').get('http://127.0.0.1:9106/readyz',r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))";
    for (;;) {
      const child = spawn('nsenter', [`--net=${this.#netns}`, process.execPath, '-e', ask], { stdio: 'ignore' });
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code === 0) return;
      if (Date.now() > deadline) throw new Error('agent: is not ready after a minute');
    }
  }

  #spawn(program: string, args: readonly number[], env: Readonly<Record<string, string>>): ChildProcess {
    // nsenter becomes the program: the pid is the program's.
    const child = spawn('nsenter', [`--net=${this.#netns}`, process.execPath, program, ...args.map(String)], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  #at(name: string): string {
    return path.join(this.#folder, name);
  }
}
