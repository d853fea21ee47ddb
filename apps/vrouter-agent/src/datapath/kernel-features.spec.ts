import { spawnSync } from 'node:child_process';
import { createKernelDatapath } from './kernel-datapath';
import { findMissingFeatures, requireKernelFeatures } from './kernel-features';
import type { KernelProbes } from './kernel-features';
import { kernelProbes } from './kernel-probes';

const able: KernelProbes = {
  release: '6.1.0',
  hasProgramType: () => true,
  hasMapType: () => true,
  hasHelper: () => true,
  probeDevices: () => ({ metadataTunnel: true, classifierHook: true }),
};

describe('findMissingFeatures', () => {
  it('finds nothing on a kernel that can do everything', () => {
    expect(findMissingFeatures(able)).toEqual([]);
    expect(() => requireKernelFeatures(able)).not.toThrow();
  });

  it.each<[string, Partial<KernelProbes>, string[]]>([
    ['ring buffers', { hasMapType: (type) => type !== 27 }, ['eBPF ring buffers (Linux 5.8)']],
    ['tries', { hasMapType: (type) => type !== 11 }, ['eBPF LPM trie maps']],
    [
      'redirection to a peer',
      { hasHelper: (helper) => helper !== 155 },
      ['helper bpf_redirect_peer (Linux 5.10)'],
    ],
    [
      'VXLAN',
      { probeDevices: () => ({ metadataTunnel: false, classifierHook: false }) },
      ['VXLAN devices with metadata (CONFIG_VXLAN; modprobe vxlan)'],
    ],
    [
      'clsact',
      { probeDevices: () => ({ metadataTunnel: true, classifierHook: false }) },
      [
        'eBPF programs at clsact (CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF; modprobe sch_ingress cls_bpf)',
      ],
    ],
  ])('names %s', (_what, lack, missing) => {
    expect(findMissingFeatures({ ...able, ...lack })).toEqual(missing);
  });

  it('says one thing of a kernel without eBPF, and tries nothing further', () => {
    const probeDevices = (): never => {
      throw new Error('tried');
    };
    const none = { ...able, hasProgramType: () => false, hasMapType: () => false, probeDevices };
    expect(findMissingFeatures(none)).toEqual([
      'eBPF programs of type sched_cls (CONFIG_BPF_SYSCALL, CONFIG_NET)',
    ]);
  });
});

describe('createKernelDatapath', () => {
  it('refuses a kernel that lacks something: it names kernel, every feature and the remedy', () => {
    const probes: KernelProbes = {
      ...able,
      release: '5.4.0-old',
      hasMapType: (type) => type !== 27,
      hasHelper: (helper) => helper < 131,
    };
    const create = (): unknown =>
      createKernelDatapath({ objectFile: '/nonexistent', pinPath: '/nonexistent', flowCapacity: 1, probes });
    expect(create).toThrow(
      'Kernel 5.4.0-old of this node: lacks what the vRouter needs: eBPF ring buffers (Linux 5.8); ' +
        'helper bpf_ringbuf_reserve (Linux 5.8); helper bpf_redirect_neigh (Linux 5.10); ' +
        'helper bpf_redirect_peer (Linux 5.10). ' +
        'Run Linux 5.10 or newer with these features, and the agent in a privileged container',
    );
  });
});

const isRoot = process.getuid?.() === 0;

(isRoot ? describe : describe.skip)(`this kernel${isRoot ? '' : ' (skipped: needs root)'}`, () => {
  it('has every feature, and the tries leave no device behind', () => {
    expect(findMissingFeatures(kernelProbes)).toEqual([]);
    expect(spawnSync('ip', ['link', 'show', 'contrail-probe']).status).not.toBe(0);
  });

  it('tells what it has from what no kernel has', () => {
    expect(kernelProbes.hasMapType(9999)).toBe(false);
    expect(kernelProbes.hasHelper(9999)).toBe(false);
    expect(kernelProbes.hasProgramType(9999)).toBe(false);
  });
});
