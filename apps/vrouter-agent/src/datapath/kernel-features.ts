/** What the vRouter needs of a kernel, tried at each start: a message is better than half a datapath. */
import { ContrailError } from '@contrail/errors';

/** Tries on this node's kernel; each leaves nothing behind. */
export interface KernelProbes {
  /** `uname -r`. */
  readonly release: string;
  hasProgramType(type: number): boolean;
  hasMapType(type: number): boolean;
  /** In programs of type sched_cls. */
  hasHelper(helper: number): boolean;
  /** @throws ContrailError FAILED_PRECONDITION when the agent may not make devices. */
  probeDevices(): DeviceProbe;
}

export interface DeviceProbe {
  /** A VXLAN device that takes remote and VNI from each packet. */
  readonly metadataTunnel: boolean;
  /** A program at clsact; false also when there was no device to try it on. */
  readonly classifierHook: boolean;
}

/** BPF_PROG_TYPE_SCHED_CLS */
export const classifierProgramType = 3;

interface Feature {
  readonly id: number;
  readonly text: string;
}

/** Of <linux/bpf.h>: enum bpf_map_type. */
const mapTypes: readonly Feature[] = [
  { id: 1, text: 'eBPF hash maps' },
  { id: 2, text: 'eBPF array maps' },
  { id: 5, text: 'eBPF per-CPU hash maps' },
  { id: 6, text: 'eBPF per-CPU array maps' },
  { id: 9, text: 'eBPF LRU hash maps' },
  { id: 11, text: 'eBPF LPM trie maps' },
  { id: 27, text: 'eBPF ring buffers (Linux 5.8)' },
];

/** Of <linux/bpf.h>: BPF_FUNC_. */
const helpers: readonly Feature[] = [
  { id: 20, text: 'helper bpf_skb_get_tunnel_key' },
  { id: 21, text: 'helper bpf_skb_set_tunnel_key' },
  { id: 38, text: 'helper bpf_skb_change_tail' },
  { id: 50, text: 'helper bpf_skb_adjust_room' },
  { id: 131, text: 'helper bpf_ringbuf_reserve (Linux 5.8)' },
  { id: 152, text: 'helper bpf_redirect_neigh (Linux 5.10)' },
  { id: 155, text: 'helper bpf_redirect_peer (Linux 5.10)' },
];

/** In words; empty when the vRouter can run. Devices are tried only on a kernel that has eBPF. */
export function findMissingFeatures(probes: KernelProbes): string[] {
  if (!probes.hasProgramType(classifierProgramType)) {
    return ['eBPF programs of type sched_cls (CONFIG_BPF_SYSCALL, CONFIG_NET)'];
  }
  const maps = mapTypes.filter(({ id }) => !probes.hasMapType(id));
  const calls = helpers.filter(({ id }) => !probes.hasHelper(id));
  const { metadataTunnel, classifierHook } = probes.probeDevices();
  return [
    ...[...maps, ...calls].map(({ text }) => text),
    ...(metadataTunnel ? [] : ['VXLAN devices with metadata (CONFIG_VXLAN; modprobe vxlan)']),
    ...(classifierHook || !metadataTunnel
      ? []
      : ['eBPF programs at clsact (CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF; modprobe sch_ingress cls_bpf)']),
  ];
}

/** @throws ContrailError FAILED_PRECONDITION naming every missing feature and the remedy. */
export function requireKernelFeatures(probes: KernelProbes): void {
  const missing = findMissingFeatures(probes);
  if (missing.length === 0) return;
  throw new ContrailError(
    'FAILED_PRECONDITION',
    `Kernel ${probes.release} of this node: lacks what the vRouter needs: ${missing.join('; ')}. ` +
      'Run Linux 5.10 or newer with these features, and the agent in a privileged container',
  );
}
