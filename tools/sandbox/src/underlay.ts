import { existsSync } from 'node:fs';
import { run, succeeds } from './run';
import type { AddressPlan, Attachment } from './address-plan';

/**
 * Makes the namespaces and cables of a sandbox: a bridge in a namespace of its own is the underlay;
 * each node, `outside` and the machine itself hang on it. The nodes' default route leads to
 * `outside`, which knows no route to pods: it sees pods only behind their node's address.
 */
export async function createUnderlay(plan: AddressPlan): Promise<void> {
  await run('ip', ['netns', 'add', plan.underlayNetns]);
  await batch(plan.underlayNetns, [
    'link set lo up',
    'link add underlay type bridge forward_delay 0 stp_state 0',
    'link set underlay up',
  ]);
  // Bridged packets are the underlay's own business: no firewall of the machine's may see them.
  await setSysctls(plan.underlayNetns, [
    'net/bridge/bridge-nf-call-iptables=0',
    'net/bridge/bridge-nf-call-arptables=0',
  ]);
  for (const attachment of [plan.outside, ...plan.nodes]) await attach(plan, attachment);
  for (const node of plan.nodes) {
    await setSysctls(node.netns, [
      'net/ipv4/ip_forward=1',
      'net/ipv4/conf/all/rp_filter=0',
      'net/ipv4/conf/default/rp_filter=0',
    ]);
    await batch(node.netns, [`route add default via ${plan.outside.address}`]);
  }
  await run('ip', [
    'link',
    'add',
    plan.machinePort,
    'type',
    'veth',
    'peer',
    'name',
    'machine',
    'netns',
    plan.underlayNetns,
  ]);
  await run('ip', ['address', 'add', `${plan.machineAddress}/24`, 'dev', plan.machinePort]);
  await run('ip', ['link', 'set', plan.machinePort, 'up']);
  await batch(plan.underlayNetns, ['link set machine master underlay', 'link set machine up']);
}

/** Removes what {@link createUnderlay} made, also when it was interrupted. */
export async function removeUnderlay(plan: AddressPlan): Promise<void> {
  const names = [plan.underlayNetns, plan.outside.netns, ...plan.nodes.map((node) => node.netns)];
  if (existsSync(`/sys/class/net/${plan.machinePort}`)) {
    await succeeds('ip', ['link', 'delete', plan.machinePort]);
  }
  for (const name of names) {
    if (existsSync(`/run/netns/${name}`)) await run('ip', ['netns', 'delete', name]);
  }
}

/**
 * Runs `ip` commands, one a line, in a namespace. nsenter, because `ip netns exec` would hide
 * /sys/fs/cgroup.
 */
export async function batch(netns: string, lines: readonly string[]): Promise<void> {
  await run('nsenter', [`--net=/run/netns/${netns}`, 'ip', '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
  });
}

async function attach(plan: AddressPlan, attachment: Attachment): Promise<void> {
  await run('ip', ['netns', 'add', attachment.netns]);
  await batch(plan.underlayNetns, [
    `link add ${attachment.port} type veth peer name eth0 netns ${attachment.netns}`,
    `link set ${attachment.port} master underlay`,
    `link set ${attachment.port} up`,
  ]);
  await batch(attachment.netns, [
    'link set lo up',
    `address add ${attachment.address}/24 dev eth0`,
    'link set eth0 up',
  ]);
}

/** @param settings `path/below/proc/sys=value`; those that this kernel lacks are left out. */
async function setSysctls(netns: string, settings: readonly string[]): Promise<void> {
  const script = settings
    .map((setting) => {
      const [key = '', value = ''] = setting.split('=');
      return `[ ! -e /proc/sys/${key} ] || echo ${value} > /proc/sys/${key}`;
    })
    .join('\n');
  await run('nsenter', [`--net=/run/netns/${netns}`, 'sh', '-euc', script]);
}
