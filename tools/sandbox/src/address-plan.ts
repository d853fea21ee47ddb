/** Ranges inside the cluster; the underlay of every sandbox lies outside of both. */
export const podSubnet = '10.32.0.0/12';
export const serviceSubnet = '10.96.0.0/12';
/** The `kubernetes` Service: the first address of the service subnet. */
export const apiServiceAddress = '10.96.0.1';
export const clusterDnsAddress = '10.96.0.10';

export const workerCountMax = 10;
/** Sandboxes at once on one machine; each has an underlay 10.250.INDEX.0/24. */
export const sandboxIndexMax = 250;

/** A network namespace on the underlay. */
export interface Attachment {
  /** `control-plane`, `node1`…, `outside`: what users call it. */
  readonly name: string;
  /** Name in /run/netns of the machine. */
  readonly netns: string;
  /** IPv4 address on the underlay. */
  readonly address: string;
  /** Interface in the underlay's namespace, at most 15 characters; inside, it is eth0. */
  readonly port: string;
}

export interface NodePlan extends Attachment {
  /** Relative to every cgroup hierarchy; kubelet's cgroupRoot. */
  readonly cgroup: string;
  readonly isControlPlane: boolean;
}

/** Every name and address of one sandbox. A pure function of its name, index and size. */
export interface AddressPlan {
  readonly name: string;
  readonly index: number;
  /** The /24 as prefix. */
  readonly underlay: string;
  readonly underlayNetns: string;
  /** The machine's end of its cable to the underlay, in the machine's own namespace. */
  readonly machinePort: string;
  readonly machineAddress: string;
  readonly outside: Attachment;
  readonly controlPlane: NodePlan;
  /** control-plane first, then node1, node2, … */
  readonly nodes: readonly NodePlan[];
}

/** `control-plane`, `node1`, …, `node<workers>`. */
export function nodeNames(workers: number): string[] {
  return ['control-plane', ...Array.from({ length: workers }, (_, i) => `node${i + 1}`)];
}

/**
 * Lays out a sandbox.
 *
 * @param index 1 to 250, unique among the sandboxes of the machine.
 * @param workers number of nodes beside the control plane, 1 to 10.
 */
export function planAddresses(name: string, index: number, workers: number): AddressPlan {
  const address = (host: number): string => `10.250.${index}.${host}`;
  const nodes = nodeNames(workers).map((node, position): NodePlan => ({
    name: node,
    netns: `${name}-${node}`,
    address: address(10 + position),
    port: node,
    cgroup: `${name}-${node}`,
    isControlPlane: position === 0,
  }));
  const [controlPlane] = nodes;
  if (controlPlane === undefined) throw new Error('a plan without a control plane');
  return {
    name,
    index,
    underlay: `10.250.${index}.0/24`,
    underlayNetns: `${name}-underlay`,
    machinePort: `sandbox${index}`,
    machineAddress: address(1),
    outside: { name: 'outside', netns: `${name}-outside`, address: address(2), port: 'outside' },
    controlPlane,
    nodes,
  };
}
