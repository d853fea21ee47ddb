/**
 * `npx nx serve vrouter-agent`: the agent over an in-memory datapath with a control of its own. The
 * sockets are in a temporary folder that is printed; contrailctl and the CNI shim work against them.
 * With DATAPATH=kernel (root; best in a network namespace of its own, BPF_PIN_PATH on a bpf file
 * system, BPF_OBJECT_FILE from bpf/build.sh, NODE_IP on a device) it programs the kernel.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTelemetry } from '@contrail/telemetry';
import { startAgent } from '../src/agent-process';
import { loggedPodEvents } from '../src/cni-server/kube-pod-events';
import { loadConfig } from '../src/config';
import type { Config } from '../src/config';
import { createKernelDatapath } from '../src/datapath';
import type { Datapath } from '../src/datapath/port';
import * as make from '../src/testing/entries';
import { FakeControl } from '../src/testing/fake-control';
import { newDatapath } from '../src/testing/fixture';

const snapshot = [
  make.globalEntry(),
  make.nodeEntry('node1', '192.0.2.1'),
  make.nodeEntry('node2', '192.0.2.2'),
  make.vrfEntry(make.fabricVrf),
  make.vrfEntry(make.podVrf, '10.47.255.254'),
  make.labelEntry(70, make.podVrf, 40),
  make.policyEntry(make.policyId),
  make.interfaceEntry(1),
  make.interfaceEntry(2, {
    hostPorts: [{ protocol: 6, hostPort: 8080, containerPort: 80, hostAddress: Buffer.alloc(0) }],
  }),
  make.routeEntry(make.podVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
  make.routeEntry(make.podVrf, '10.32.0.2/32', make.interfacePath('node1', 2)),
  make.routeEntry(make.fabricVrf, '10.32.0.1/32', make.interfacePath('node1', 1)),
  make.routeEntry(make.fabricVrf, '10.32.0.2/32', make.interfacePath('node1', 2)),
  make.routeEntry(make.podVrf, '192.0.2.1/32', make.nodePath('node1')),
  make.routeEntry(make.podVrf, '10.32.0.3/32', make.interfacePath('node2', 3)),
  make.routeEntry(make.podVrf, '0.0.0.0/0', make.fabricPath()),
  make.serviceEntry('10.32.255.1', [make.backend(1), make.backend(2)]),
];

async function main(): Promise<void> {
  const telemetry = startTelemetry('vrouter-agent');
  const folder = mkdtempSync(path.join(tmpdir(), 'vrouter-agent-'));
  const at = (name: string): string => path.join(folder, name);
  writeFileSync(at('shim'), '#!/bin/sh\n');
  const control = new FakeControl(snapshot);
  const config = loadConfig({
    NODE_NAME: 'node1',
    NODE_IP: '192.0.2.1',
    CONTROL_ADDRESS: await control.start(),
    CONFIG_API_ADDRESS: '127.0.0.1:9001',
    STATE_DIR: at('state'),
    AGENT_SOCKET: at('agent.sock'),
    CNI_SOCKET: at('cni.sock'),
    CNI_BIN_DIR: at('bin'),
    CNI_CONFIG_DIR: at('net.d'),
    CNI_SHIM_FILE: at('shim'),
    LISTEN_ADDRESS: '127.0.0.1:9006',
    ADMIN_ADDRESS: '127.0.0.1:9106',
    ...process.env,
  });
  const identity = { problem: undefined, start: () => Promise.resolve('insecure' as const) };
  const agent = await startAgent({ config, datapath: await openDatapath(config), identity, events: loggedPodEvents });
  process.stdout.write(
    [
      `sockets in ${folder}; for example`,
      `  node dist/apps/contrailctl/main.js --socket ${at('agent.sock')} status`,
      `  echo '{"cniVersion":"1.1.0","name":"contrail"}' | CONTRAIL_CNI_SOCKET=${at('cni.sock')} CNI_COMMAND=ADD \\`,
      `    CNI_CONTAINERID=c1 CNI_NETNS=/var/run/netns/c1 CNI_IFNAME=eth0 CNI_ARGS=CONTRAIL_VMI=${make.vmiUuid(1)} dist/apps/cni/contrail-cni`,
      '',
    ].join('\n'),
  );
  process.on('SIGINT', () => {
    void Promise.all([agent.stop(), control.stop(), telemetry.stop()]).finally(() => process.exit(0));
  });
}

async function openDatapath(config: Config): Promise<Datapath> {
  if (process.env['DATAPATH'] !== 'kernel') return newDatapath();
  const { bpfObjectFile, bpfPinPath, flowCapacity } = config;
  return createKernelDatapath({ objectFile: bpfObjectFile, pinPath: bpfPinPath, flowCapacity });
}

main().catch((error: unknown) => {
  process.stderr.write(`vrouter-agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
