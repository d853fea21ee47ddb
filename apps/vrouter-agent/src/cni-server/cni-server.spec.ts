import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ContrailError } from '@contrail/errors';
import type { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { FakeDatapath } from '../datapath/testing/fake-datapath';
import type { ForwardingState } from '../ksync/forwarding-state';
import { datapathContent, orphanRows } from '../testing/datapath-content';
import * as make from '../testing/entries';
import { newDatapath, newState } from '../testing/fixture';
import { AttachmentStore, hostInterfaceName } from './attachment-store';
import type { CniContext } from './cni-context';
import { CniOperations } from './cni-operations';
import { startCniServer } from './cni-server';
import type { CniServer } from './cni-server';
import { detach } from './detach';
import { installConfig, installPlugin } from './install-plugin';
import { restoreAttachments } from './restore-attachments';

const base: Entry[] = [
  make.globalEntry(),
  make.nodeEntry('node1', '192.0.2.1'),
  make.vrfEntry(make.fabricVrf),
  make.vrfEntry(make.podVrf, '10.47.255.254'),
  make.policyEntry(make.policyId),
  make.routeEntry(make.podVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
];

interface Answer {
  status: number;
  text: string;
  json: { code?: number; msg?: string; [key: string]: unknown };
}

class Agent {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'agent-'));
  readonly datapath: FakeDatapath;
  readonly state: ForwardingState;
  readonly bandwidthEvents: string[] = [];
  controlProblem: string | undefined;
  context: CniContext;
  #server: CniServer | undefined;

  /** @param entries the snapshot; undefined: none has come. */
  constructor(entries: Entry[] | undefined, datapath = newDatapath(), addDeadlineMs = 200) {
    this.datapath = datapath;
    this.state = newState(datapath);
    if (entries) {
      this.state.beginSnapshot();
      this.state.applyBatch(make.batch(1, entries));
      this.state.endSnapshot(1n);
    }
    this.context = {
      state: this.state,
      datapath,
      attachments: new AttachmentStore(path.join(this.folder, 'attachments')),
      events: { bandwidthIgnored: ({ namespace, name }) => this.bandwidthEvents.push(`${namespace}/${name}`) },
      adding: new Set(),
      leaving: new Set(),
      controlProblem: () => this.controlProblem,
      addDeadlineMs,
    };
  }

  get socketPath(): string {
    return path.join(this.folder, 'cni.sock');
  }

  async start(): Promise<this> {
    this.#server = await startCniServer(this.socketPath, new CniOperations(this.context));
    return this;
  }

  async stop(): Promise<void> {
    this.state.stop();
    await this.#server?.stop();
    rmSync(this.folder, { recursive: true });
  }

  send(body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = httpRequest({ socketPath: this.socketPath, method: 'POST', path: '/cni' }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, json: text === '' ? {} : (JSON.parse(text) as Answer['json']) }),
        );
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  run(command: string, options: { env?: Record<string, string>; config?: object } = {}): Promise<Answer> {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/var/run/netns/c1',
      CNI_IFNAME: 'eth0',
      CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=pod-uid-1',
      CNI_PATH: '/opt/cni/bin',
      ...options.env,
    };
    const config = { cniVersion: '1.1.0', name: 'contrail', type: 'contrail-cni', ...options.config };
    return this.send(JSON.stringify({ env, stdin: JSON.stringify(config) }));
  }

  /** What must be gone when nothing is attached. */
  traces(): unknown {
    return [
      this.datapath.devices.listPodInterfaces(),
      this.datapath.vifs.dump().filter(([, vif]) => vif.kind === 'pod').length,
      readdirSync(path.join(this.folder, 'attachments')),
    ];
  }
}

const nothingLeft = [[], 0, []];
const withPod = [...base, make.interfaceEntry(1)];
let agent: Agent;

afterEach(() => agent.stop());

describe('ADD', () => {
  it('makes the interface, programs it and answers in version 1.1.0', async () => {
    agent = await new Agent(withPod).start();
    const { status, json } = await agent.run('ADD');
    const device = hostInterfaceName({ containerId: 'c1', ifname: 'eth0' });
    expect(status).toBe(200);
    expect(json).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: device, mtu: 1450 },
        { name: 'eth0', mac: '02:00:00:00:00:00', mtu: 1450, sandbox: '/var/run/netns/c1' },
      ],
      ips: [{ interface: 1, address: '10.32.0.1/32', gateway: '10.47.255.254' }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.47.255.254' }],
      dns: {},
    });
    expect(agent.datapath.devices.listPodInterfaces()).toEqual([{ name: device, ifindex: 100, vmiUuid: make.vmiUuid(1) }]);
    expect(agent.datapath.attached.get(100)).toBe('pod');
    expect(agent.datapath.vifs.get({ ifindex: 100, vlan: 0 })).toMatchObject({ vrf: make.podVrf, policy: make.policyId });
    expect(datapathContent(agent.datapath)).toContainEqual(expect.stringMatching(/^host 5 10\.32\.0\.1 -> encap\|100/));
  });

  it('answers several addresses, and the version field, in version 0.4.0', async () => {
    const second = { address: make.bytes('2001:db8::7'), gateway: make.bytes('2001:db8::1'), prefixLength: 64, alias: false, dnsServer: make.bytes('10.47.255.253') };
    const first = make.interfaceValue(1).addresses;
    agent = await new Agent([...base, make.interfaceEntry(1, { addresses: [...first, second] })]).start();
    const { json } = await agent.run('ADD', { config: { cniVersion: '0.4.0' } });
    expect(json['ips']).toEqual([
      { version: '4', interface: 1, address: '10.32.0.1/32', gateway: '10.47.255.254' },
      { version: '6', interface: 1, address: '2001:db8::7/128', gateway: '2001:db8::1' },
    ]);
    expect(json['routes']).toEqual([{ dst: '0.0.0.0/0', gw: '10.47.255.254' }, { dst: '::/0', gw: '2001:db8::1' }]);
    expect(json['dns']).toEqual({ nameservers: ['10.47.255.253'] });
  });

  it('waits for control and answers when the interface comes', async () => {
    agent = new Agent(base);
    agent.context = { ...agent.context, addDeadlineMs: 5000 };
    await agent.start();
    const answer = agent.run('ADD');
    setTimeout(() => agent.state.applyBatch(make.batch(2, [make.interfaceEntry(1, { policy: 0 })])), 30);
    setTimeout(() => agent.state.applyBatch(make.batch(3, [make.interfaceEntry(1)])), 60);
    expect((await answer).status).toBe(200);
  });

  it.each<[string, Entry[] | undefined, string | undefined, string]>([
    ['control is not connected', undefined, 'control is not connected', 'Pod default/web-1: control has not sent its state yet (control is not connected)'],
    ['there is no interface', base, undefined, 'Pod default/web-1: no VirtualMachineInterface from control yet (does its project exist, has its network a free address, does kube-manager run?)'],
    ['it has no address', [...base, make.interfaceEntry(1, { addresses: [] })], undefined, `VirtualMachineInterface ${make.vmiUuid(1)} has no address yet`],
    ['it has no policy', [...base, make.interfaceEntry(1, { policy: 9 })], undefined, `policy of VirtualMachineInterface ${make.vmiUuid(1)} has not come`],
    ['it is on another node', [...base, make.interfaceEntry(1, { node: 'node2' })], undefined, 'is on node node2, not node1'],
  ])('asks to try again, naming what is missing, when %s', async (_when, entries, problem, message) => {
    agent = new Agent(entries);
    agent.controlProblem = problem;
    await agent.start();
    const { status, json } = await agent.run('ADD');
    expect(status).toBe(503);
    expect(json.code).toBe(11);
    expect(json.msg).toContain(message);
    expect(agent.traces()).toEqual(nothingLeft);
  });

  it('refuses a repeated ADD and changes nothing', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    const before = datapathContent(agent.datapath);
    const { status, json } = await agent.run('ADD');
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: 100, msg: 'Pod default/web-1: container c1 has eth0 already; DEL it first' });
    expect(datapathContent(agent.datapath)).toEqual(before);
    expect(agent.datapath.devices.listPodInterfaces()).toHaveLength(1);
  });

  it.each<[string, Error, number]>([
    ['the namespace is gone', new ContrailError('NOT_FOUND', 'no such namespace'), 4],
    ['the interface exists', new ContrailError('ALREADY_EXISTS', 'eth0 exists'), 100],
    ['the kernel refuses', new Error('netlink: out of memory'), 103],
  ])('leaves nothing behind when %s', async (_when, failure, code) => {
    agent = await new Agent(withPod).start();
    agent.datapath.devices.failNextCreate = failure;
    const { json } = await agent.run('ADD');
    expect(json.code).toBe(code);
    expect(agent.traces()).toEqual(nothingLeft);
    expect((await agent.run('ADD')).status).toBe(200);
  });

  it.each([
    ['for its sources', 'sources' as const],
    ['for its policy', 'policies' as const],
  ])('leaves nothing behind when the datapath has no room %s', async (_what, table) => {
    agent = new Agent(base.filter(({ kind }) => kind?.$case !== 'policy'));
    agent.datapath[table].capacity = 0;
    agent.state.applyBatch(make.batch(2, [make.policyEntry(make.policyId), make.interfaceEntry(1)]));
    await agent.start();
    const { json } = await agent.run('ADD');
    expect(json.code).toBe(11);
    expect(json.msg).toContain(table);
    expect(agent.traces()).toEqual(nothingLeft);
    expect(orphanRows(agent.datapath)).toEqual([]);
  });

  it('attaches the interface that CONTRAIL_VMI names, without Kubernetes', async () => {
    agent = await new Agent(withPod).start();
    const env = { CNI_ARGS: `CONTRAIL_VMI=${make.vmiUuid(1)}`, CNI_IFNAME: 'net1' };
    expect((await agent.run('ADD', { env })).status).toBe(200);
    const { json } = await agent.run('ADD', { env: { CNI_ARGS: '' } });
    expect(json).toMatchObject({ code: 102, msg: expect.stringContaining('CONTRAIL_VMI=<uuid') as string });
  });

  it('takes the interface over from an older sandbox of the pod', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    expect((await agent.run('ADD', { env: { CNI_CONTAINERID: 'c2' } })).status).toBe(200);
    expect(agent.datapath.devices.listPodInterfaces()).toHaveLength(1);
    expect((await agent.run('DEL')).status).toBe(200);
    expect(agent.datapath.vifs.get({ ifindex: 101, vlan: 0 })).toBeDefined();
  });

  it('serves port mappings of the runtime and those of the interface, each once', async () => {
    const port = { protocol: 6, hostPort: 8080, containerPort: 80, hostAddress: Buffer.alloc(0) };
    agent = await new Agent([...base, make.interfaceEntry(1, { hostPorts: [port] })]).start();
    const portMappings = [
      { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
      { hostPort: 5353, containerPort: 53, protocol: 'UDP', hostIP: '192.0.2.1' },
      { HostPort: 9090, ContainerPort: 90, Protocol: 'tcp', HostIP: '' },
      { hostPort: 0, containerPort: 99, protocol: 'tcp' },
    ];
    await agent.run('ADD', { config: { runtimeConfig: { portMappings } } });
    const ports = agent.datapath.services.dump().map(([key]) => `${key.address.join('.')} ${key.protocol} ${key.port}`);
    expect(ports.sort()).toEqual(['0.0.0.0 6 8080', '0.0.0.0 6 9090', '192.0.2.1 17 5353']);
    await agent.run('DEL');
    expect(agent.datapath.services.dump()).toEqual([]);
  });

  it('starts a pod with bandwidth limits unshaped and says so', async () => {
    agent = await new Agent(withPod).start();
    const config = { runtimeConfig: { bandwidth: { ingressRate: 1_000_000, ingressBurst: 2000 } } };
    expect((await agent.run('ADD', { config })).status).toBe(200);
    expect(agent.bandwidthEvents).toEqual(['default/web-1']);
  });
});

describe('DEL', () => {
  it('removes everything and succeeds again and again', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    for (let n = 0; n < 3; n += 1) {
      expect(await agent.run('DEL', { env: { CNI_NETNS: '' } })).toMatchObject({ status: 200, text: '' });
    }
    expect(agent.traces()).toEqual(nothingLeft);
    expect(orphanRows(agent.datapath)).toEqual([]);
    expect((await agent.run('ADD')).status).toBe(200);
  });

  it('ends an ADD that waits', async () => {
    agent = new Agent(base);
    agent.context = { ...agent.context, addDeadlineMs: 60_000 };
    await agent.start();
    const adding = agent.run('ADD');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await agent.run('DEL')).status).toBe(200);
    expect((await adding).json.code).toBe(11);
    expect(agent.traces()).toEqual(nothingLeft);
  });
});

describe('a device that is still being deleted', () => {
  it('is waited for by an ADD of the same container', async () => {
    agent = new Agent(withPod);
    agent.context = { ...agent.context, addDeadlineMs: 5000 };
    await agent.start();
    await agent.run('ADD');
    const { devices } = agent.datapath;
    const remove = devices.deletePodInterface.bind(devices);
    devices.deletePodInterface = (name) => void setTimeout(() => remove(name), 50);
    await agent.run('DEL');
    expect((await agent.run('ADD')).status).toBe(200);
  });

  it('fails the ADD that waits for it when another container takes the interface over', async () => {
    agent = new Agent(withPod);
    agent.context = { ...agent.context, addDeadlineMs: 5000 };
    await agent.start();
    await agent.run('ADD');
    const { devices } = agent.datapath;
    const remove = devices.deletePodInterface.bind(devices);
    devices.deletePodInterface = (name) => void setTimeout(() => remove(name), 100);
    await agent.run('DEL');
    const older = agent.run('ADD');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await agent.run('ADD', { env: { CNI_CONTAINERID: 'c2' } })).status).toBe(200);
    expect((await older).json.code).toBe(11);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(devices.listPodInterfaces()).toMatchObject([{ ifindex: 101, vmiUuid: make.vmiUuid(1) }]);
    expect(agent.datapath.vifs.get({ ifindex: 101, vlan: 0 })).toBeDefined();
  });
});

describe('CHECK', () => {
  const prevResult = {
    interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:00', sandbox: '/var/run/netns/c1' }],
    ips: [{ address: '10.32.0.1/32' }],
  };

  it('accepts what ADD made, before and after', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    expect(await agent.run('CHECK', { config: { prevResult } })).toMatchObject({ status: 200, text: '' });
  });

  it('names what is not as it should be', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    const wrong = { ...prevResult, ips: [{ address: '10.32.0.9/32' }], interfaces: [{ ...prevResult.interfaces[0], mac: '02:00:00:00:00:99' }] };
    agent.datapath.vifs.remove([{ ifindex: 100, vlan: 0 }]);
    const { json } = await agent.run('CHECK', { config: { prevResult: wrong } });
    expect(json.code).toBe(101);
    expect(json.msg).toBe(
      'eth0 in /var/run/netns/c1: address 10.32.0.9 is missing; MAC is 02:00:00:00:00:00, not 02:00:00:00:00:99; the vRouter has no Vif for it',
    );
  });

  it('misses the source of the default route of a pod with an alias address', async () => {
    const addresses = [make.podAddress('10.32.0.1'), make.podAddress('10.33.0.1', { alias: true })];
    agent = await new Agent([...base, make.interfaceEntry(1, { addresses })]).start();
    await agent.run('ADD');
    expect((await agent.run('CHECK', { config: { prevResult } })).status).toBe(200);
    const device = hostInterfaceName({ containerId: 'c1', ifname: 'eth0' });
    agent.datapath.devices.changed.set(`${device} inside`, { sourceRoutes: [] });
    const { json } = await agent.run('CHECK', { config: { prevResult } });
    expect(json.msg).toContain('route default src 10.33.0.1 is missing; route 10.32.0.0/12 src 10.32.0.1 is missing');
  });

  it.each([
    ['a container that was never added', {}, { prevResult }, 3],
    ['no prevResult', {}, {}, 7],
  ])('refuses %s', async (_what, env, config, code) => {
    agent = await new Agent(withPod).start();
    expect((await agent.run('CHECK', { env, config })).json.code).toBe(code);
  });
});

describe('GC and STATUS', () => {
  it('GC detaches what the runtime does not name, of its own network only', async () => {
    agent = await new Agent([...withPod, make.interfaceEntry(2)]).start();
    await agent.run('ADD');
    const second = { CNI_CONTAINERID: 'c2', CNI_ARGS: `CONTRAIL_VMI=${make.vmiUuid(2)}` };
    await agent.run('ADD', { env: second });
    expect((await agent.run('GC', { config: { name: 'other', 'cni.dev/valid-attachments': [] } })).status).toBe(200);
    expect(agent.datapath.devices.listPodInterfaces()).toHaveLength(2);
    const valid = [{ containerID: 'c2', ifname: 'eth0' }];
    expect(await agent.run('GC', { config: { 'cni.dev/valid-attachments': valid } })).toMatchObject({ status: 200, text: '' });
    expect(agent.datapath.devices.listPodInterfaces().map(({ vmiUuid }) => vmiUuid)).toEqual([make.vmiUuid(2)]);
    expect((await agent.run('GC')).json.code).toBe(7);
  });

  it('STATUS is 50 until the first InSync', async () => {
    agent = await new Agent(undefined).start();
    expect((await agent.run('STATUS')).json.code).toBe(50);
    agent.context.state.beginSnapshot();
    agent.context.state.endSnapshot(1n);
    expect(await agent.run('STATUS')).toMatchObject({ status: 200, text: '' });
  });
});

describe('input', () => {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_NETNS: '/x', CNI_IFNAME: 'eth0' };
  const config = { cniVersion: '1.0.0', name: 'contrail' };
  it.each<[string, string, number, string]>([
    ['a body that is not JSON', 'nonsense', 6, 'the request is not JSON'],
    ['a configuration that is not JSON', JSON.stringify({ env, stdin: '{' }), 6, 'the network configuration is not JSON'],
    ['an empty configuration', JSON.stringify({ env, stdin: '' }), 6, 'the network configuration is not JSON'],
    ['an unknown version', JSON.stringify({ env, stdin: JSON.stringify({ ...config, cniVersion: '9.9.9' }) }), 1, 'cniVersion is "9.9.9"'],
    ['a configuration without name', JSON.stringify({ env, stdin: '{"cniVersion":"1.0.0"}' }), 7, 'name is absent'],
    ['a wrong type', JSON.stringify({ env, stdin: JSON.stringify({ ...config, name: 7 }) }), 7, 'name: '],
    ['an unknown command', JSON.stringify({ env: { CNI_COMMAND: 'MOVE' }, stdin: '{}' }), 4, 'CNI_COMMAND is "MOVE"'],
    ['no container', JSON.stringify({ env: { ...env, CNI_CONTAINERID: '' }, stdin: JSON.stringify(config) }), 4, 'CNI_CONTAINERID is not set'],
    ['a container id with a path', JSON.stringify({ env: { ...env, CNI_CONTAINERID: '../x' }, stdin: JSON.stringify(config) }), 4, 'CNI_CONTAINERID is "../x"'],
    ['a long interface name', JSON.stringify({ env: { ...env, CNI_IFNAME: 'a'.repeat(16) }, stdin: JSON.stringify(config) }), 4, 'CNI_IFNAME is'],
    ['a relative namespace', JSON.stringify({ env: { ...env, CNI_NETNS: 'x' }, stdin: JSON.stringify(config) }), 4, 'CNI_NETNS is "x"'],
    ['broken arguments', JSON.stringify({ env: { ...env, CNI_ARGS: 'K8S' }, stdin: JSON.stringify(config) }), 4, 'CNI_ARGS: "K8S" is not KEY=VALUE'],
    ['a pod without name', JSON.stringify({ env: { ...env, CNI_ARGS: 'K8S_POD_UID=a' }, stdin: JSON.stringify(config) }), 4, 'K8S_POD_NAMESPACE is ""'],
    ['a VMI that is no uuid', JSON.stringify({ env: { ...env, CNI_ARGS: 'CONTRAIL_VMI=1' }, stdin: JSON.stringify(config) }), 4, 'CONTRAIL_VMI is "1"'],
    ['a bad protocol', JSON.stringify({ env, stdin: JSON.stringify({ ...config, runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1, protocol: 'gre' }] } }) }), 2, 'protocol is "gre"'],
    ['a bad port', JSON.stringify({ env, stdin: JSON.stringify({ ...config, runtimeConfig: { portMappings: [{ hostPort: 70000, containerPort: 1 }] } }) }), 7, 'runtimeConfig.portMappings.0.hostPort'],
    ['more than 8 MiB', `{"env":{},"stdin":"${'x'.repeat(9 * 1024 * 1024)}"}`, 6, 'more than 8388608 bytes'],
  ])('refuses %s', async (_what, body, code, message) => {
    agent = await new Agent(withPod).start();
    const { status, json } = await agent.send(body);
    expect(status).toBe(400);
    expect(json.code).toBe(code);
    expect(json.msg).toContain(message);
  });

  it('answers VERSION', async () => {
    agent = await new Agent(base).start();
    const { json } = await agent.send(JSON.stringify({ env: { CNI_COMMAND: 'VERSION' }, stdin: '{"cniVersion":"1.0.0"}' }));
    expect(json).toEqual({ cniVersion: '1.0.0', supportedVersions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'] });
  });

  it('lets only root use the socket', async () => {
    agent = await new Agent(base).start();
    expect(statSync(agent.socketPath).mode & 0o777).toBe(0o600);
  });
});

describe('STATUS of an agent that was just replaced', () => {
  it('waits for the first InSync', async () => {
    agent = await new Agent(undefined, newDatapath(), 20_000).start();
    const answer = agent.run('STATUS');
    agent.state.beginSnapshot();
    agent.state.applyBatch(make.batch(1, base));
    setTimeout(() => agent.state.endSnapshot(1n), 300);
    expect((await answer).status).toBe(200);
  });
});

describe('restart and installation', () => {
  it('knows the attachments again, deletes devices that nobody knows, forgets what is gone', async () => {
    agent = await new Agent([...withPod, make.interfaceEntry(2)]).start();
    await agent.run('ADD');
    await agent.run('ADD', { env: { CNI_CONTAINERID: 'c2', CNI_ARGS: `CONTRAIL_VMI=${make.vmiUuid(2)}` } });
    agent.datapath.devices.deletePodInterface(hostInterfaceName({ containerId: 'c2', ifname: 'eth0' }));
    agent.datapath.devices.createPodInterface({
      netnsPath: '/x', containerInterface: 'eth0', hostInterface: 'tapleftover', mac: new Uint8Array(6), addresses: [], gatewayV4: undefined, gatewayV6: undefined, sourceRoutes: [], mtu: 1450,
    });
    const state = newState(agent.datapath);
    const attachments = new AttachmentStore(path.join(agent.folder, 'attachments'));
    restoreAttachments({ ...agent.context, state, attachments });
    expect(attachments.all().map(({ containerId }) => containerId)).toEqual(['c1']);
    expect(state.desired.device(make.vmiUuid(1))).toMatchObject({ ifindex: 100 });
    expect(agent.datapath.devices.listPodInterfaces()).toHaveLength(1);
    const forgotten = newState(agent.datapath);
    restoreAttachments({ ...agent.context, state: forgotten, attachments: new AttachmentStore(path.join(agent.folder, 'empty')) });
    expect(forgotten.desired.device(make.vmiUuid(1))).toMatchObject({ ifindex: 100 });
    expect(agent.datapath.devices.listPodInterfaces()).toHaveLength(1);
  });

  it('brings an interface up only when its program is attached, also one that a crash left down', async () => {
    agent = await new Agent(withPod).start();
    const { datapath } = agent;
    const hooksWhenUp: unknown[] = [];
    datapath.devices.onActivate = (ifindex) => hooksWhenUp.push(datapath.attached.get(ifindex));
    await agent.run('ADD');
    expect(hooksWhenUp).toEqual(['pod']);
    expect(datapath.devices.isUp(100)).toBe(true);
    datapath.detach(100);
    const restarted = new Agent(undefined, datapath);
    restarted.state.setDevice(make.vmiUuid(1), { ifindex: 100, mtu: 1450, hostPorts: [] });
    expect(hooksWhenUp).toHaveLength(1);
    restarted.state.beginSnapshot();
    restarted.state.applyBatch(make.batch(1, withPod));
    restarted.state.endSnapshot(1n);
    expect(hooksWhenUp).toEqual(['pod', 'pod']);
    await restarted.stop();
  });

  it('closes the device of a DEL whose attachment file is lost', async () => {
    agent = await new Agent(withPod).start();
    await agent.run('ADD');
    rmSync(path.join(agent.folder, 'attachments'), { recursive: true });
    const state = newState(agent.datapath);
    const attachments = new AttachmentStore(path.join(agent.folder, 'attachments'));
    const context = { ...agent.context, state, attachments };
    expect(agent.datapath.vifs.get({ ifindex: 100, vlan: 0 })).toBeDefined();
    detach(context, { containerId: 'c1', ifname: 'eth0' });
    expect(agent.traces()).toEqual(nothingLeft);
    detach(context, { containerId: 'c1', ifname: 'eth0' });
    state.stop();
  });

  it('reads past a broken attachment file', async () => {
    agent = new Agent(base);
    const folder = path.join(agent.folder, 'attachments');
    writeFileSync(path.join(folder, 'broken.json'), '{');
    expect(new AttachmentStore(folder).all()).toEqual([]);
    await agent.start();
  });

  it('installs plugin and configuration by rename', async () => {
    agent = await new Agent(base).start();
    const shim = path.join(agent.folder, 'shim');
    writeFileSync(shim, 'binary');
    installPlugin(shim, path.join(agent.folder, 'bin'));
    installConfig(path.join(agent.folder, 'net.d'));
    installConfig(path.join(agent.folder, 'net.d'));
    expect(statSync(path.join(agent.folder, 'bin/contrail-cni')).mode & 0o777).toBe(0o755);
    expect(readdirSync(path.join(agent.folder, 'net.d'))).toEqual(['10-contrail.conflist']);
    expect(JSON.parse(readFileSync(path.join(agent.folder, 'net.d/10-contrail.conflist'), 'utf8'))).toMatchObject({
      cniVersion: '1.1.0',
      plugins: [{ type: 'contrail-cni', capabilities: { portMappings: true, bandwidth: true } }],
    });
    expect(existsSync(path.join(agent.folder, 'bin/.contrail-cni.new'))).toBe(false);
    expect(() => installPlugin(path.join(agent.folder, 'absent'), agent.folder)).toThrow('cannot be written');
  });
});
