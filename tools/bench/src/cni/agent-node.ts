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
  /** As control calls it. */
  readonly name: string;
  /** In a /24. */
  readonly address: string;
  /** Program of apps/vrouter-agent/dev that plays control, which prints a line of JSON with its `address`. */
  readonly control: string;
  readonly controlArguments: readonly number[];
  /** Namespace whose bridge br0 joins nodes; left out: the node is alone. */
  readonly bridge?: string;
}

/** Nodes of this process, which all have namespaces of their own. */
let made = 0;

function controlAddress(described: unknown): string {
  const address: unknown = typeof described === 'object' && described !== null ? Reflect.get(described, 'address') : undefined;
  if (typeof address !== 'string') throw new Error('control: did not say its address');
  return address;
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
  readonly #namespaces: Namespaces;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bench-agent-'));
  readonly #children: ChildProcess[] = [];
  readonly #netns: string;
  #agent: ChildProcess | undefined;
  #control: unknown;

  private constructor(
    private readonly programs: Programs,
    private readonly options: AgentNodeOptions,
  ) {
    this.#namespaces = new Namespaces(`bench${process.pid}-${(made += 1)}`);
    mkdirSync(this.#at('bpf'));
    run('mount', '-t', 'bpf', 'bpf', this.#at('bpf'));
    const node = this.#namespaces.add('node');
    this.#netns = netnsPath(node);
    this.#addUplink(node);
  }

  static async start(programs: Programs, options: AgentNodeOptions): Promise<AgentNode> {
    const node = new AgentNode(programs, options);
    try {
      await node.#start();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  /** The line that the program playing control printed. */
  get control(): unknown {
    return this.#control;
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
    return Array.from({ length: count }, (_, index) => this.freshPod(from + index));
  }

  freshPod(n: number): Attachment {
    return {
      containerId: `container${n}`,
      netns: netnsPath(this.#namespaces.add(`pod${n}`)),
      args: `CONTRAIL_VMI=00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
    };
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

  #addUplink(node: string): void {
    const { address, bridge } = this.options;
    const port = `port${made}`;
    const outside = ['type', 'veth', 'peer', 'name', port, ...(bridge === undefined ? [] : ['netns', bridge])];
    ip('-n', node, 'link', 'add', 'eth0', ...outside);
    ip('-n', node, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', node, 'link', 'set', 'eth0', 'up');
    if (bridge !== undefined) ip('-n', bridge, 'link', 'set', port, 'master', 'br0');
    ip('-n', bridge ?? node, 'link', 'set', port, 'up');
  }

  async #start(): Promise<void> {
    const { name, address, control, controlArguments } = this.options;
    const process = this.#spawn(this.programs.appProgram('vrouter-agent', control), controlArguments, {});
    this.#control = JSON.parse(await firstLine(process, 'control'));
    this.#agent = this.#spawn(this.programs.appProgram('vrouter-agent', 'measured-agent'), [], {
      NODE_NAME: name,
      NODE_IP: address,
      CONTROL_ADDRESS: controlAddress(this.#control),
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
      // As in k8s/base/vrouter-agent.yaml.
      NODE_OPTIONS: '--max-semi-space-size=4',
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
