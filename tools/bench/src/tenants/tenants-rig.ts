/** Two nodes with real agents, and pods of many networks with the same addresses, made by the CNI plugin. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { AgentNode } from '../cni/agent-node';
import { runCni } from '../cni/cni-run';
import { ip, Namespaces } from '../netns';
import type { Programs } from '../programs';
import { programIds } from '../program-costs';
import { nameOf } from './reachability';
import type { Question, TenantPod, TenantService } from './reachability';

/** What apps/vrouter-agent/dev/tenants-control.ts prints. */
interface TenantsDescription {
  readonly pods: readonly TenantPod[];
  readonly service: TenantService;
}

const nodes = [
  { name: 'node1', address: '192.0.2.1' },
  { name: 'node2', address: '192.0.2.2' },
] as const;
/** ADDs at once on each node. */
const parallelAdds = 8;

export class TenantsRig {
  /** Milliseconds of each ADD. */
  readonly addTimes: number[] = [];
  readonly #netns = new Map<TenantPod, string>();
  readonly #agents: AgentNode[] = [];
  readonly #namespaces: Namespaces;
  #server: ChildProcess | undefined;
  #programs: ReadonlySet<number> = new Set();
  #description: TenantsDescription = { pods: [], service: { address: '', port: 0, targetPort: 0 } };

  private constructor(private readonly built: Programs) {
    this.#namespaces = new Namespaces(`bench${process.pid}-bridge${(bridges += 1)}`);
  }

  static async create(programs: Programs, size: { networks: number; interfaces: number }): Promise<TenantsRig> {
    const rig = new TenantsRig(programs);
    try {
      await rig.#create([size.networks, size.interfaces]);
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  get pods(): readonly TenantPod[] {
    return this.#description.pods;
  }

  get service(): TenantService {
    return this.#description.service;
  }

  /** Ids of the eBPF programs of both nodes. */
  get programs(): ReadonlySet<number> {
    return this.#programs;
  }

  netnsOf(pod: TenantPod): string {
    const netns = this.#netns.get(pod);
    if (netns === undefined) throw new Error(`${nameOf(pod)}: was not made`);
    return netns;
  }

  /** @returns the answer to each question, in order. */
  async ask(questions: readonly Question[], rounds = 1): Promise<string[]> {
    const child = spawn(this.built.names(), ['ask', String(rounds)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = questions.map(({ client, protocol, address, port, sourcePort }) =>
      [this.netnsOf(client), protocol, address, port, sourcePort].join(' '),
    );
    child.stdin.end(`${lines.join('\n')}\n`);
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (code !== 0) throw new Error('names: ended; see above');
    return output.split('\n').slice(0, -1);
  }

  async close(): Promise<void> {
    if (this.#server && this.#server.exitCode === null) {
      this.#server.kill('SIGKILL');
      await once(this.#server, 'exit');
    }
    for (const agent of this.#agents.reverse()) await agent.stop();
    this.#namespaces.removeAll();
  }

  async #create(controlArguments: readonly number[]): Promise<void> {
    const bridge = this.#namespaces.add('bridge');
    ip('-n', bridge, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', bridge, 'link', 'set', 'br0', 'up');
    const others = programIds();
    for (const node of nodes) {
      this.#agents.push(await AgentNode.start(this.built, { ...node, control: 'tenants-control', controlArguments, bridge }));
    }
    this.#programs = new Set([...programIds()].filter((id) => !others.has(id)));
    this.#description = this.#agents[0]?.control as TenantsDescription;
    for (const [index, agent] of this.#agents.entries()) {
      const own = this.pods.filter(({ node }) => node === nodes[index]?.name);
      const attachments = own.map(({ n }) => agent.freshPod(n));
      own.forEach((pod, i) => this.#netns.set(pod, attachments[i]?.netns ?? ''));
      this.addTimes.push(...(await runCni(agent.runner, 'ADD', attachments, parallelAdds)));
    }
    await this.#serve();
  }

  async #serve(): Promise<void> {
    const server = spawn(this.built.names(), ['serve', String(this.service.targetPort)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#server = server;
    server.stdin.end(this.pods.map((pod) => `${this.netnsOf(pod)} ${nameOf(pod)}\n`).join(''));
    const ended = once(server, 'exit').then(() => {
      throw new Error('names: the servers ended; see above');
    });
    await Promise.race([once(server.stdout, 'data'), ended]);
    ended.catch(() => undefined);
  }
}

/** Rigs of this process. */
let bridges = 0;
