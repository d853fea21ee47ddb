import { compareObjects } from './compare-objects';
import type { PodFacts, World } from './compare-objects';

const pod: PodFacts = { uid: 'p1', name: 'default/web', node: 'node1', hostNetwork: false, phase: 'Running', deleting: false, addresses: ['10.32.0.1'] };

/** One pod with all that it leads to. */
const whole: World = {
  pods: [pod],
  machines: [{ uuid: 'p1', name: 'vm', podUid: 'p1' }],
  interfaces: [{ uuid: 'v1', name: 'vmi', podUid: 'p1', machines: ['p1'] }],
  instanceIps: [{ uuid: 'i1', name: 'iip', podUid: 'p1', address: '10.32.0.1', interfaces: ['v1'] }],
  aliases: [],
  allocations: [
    { address: '10.32.0.1', owner: 'i1', description: 'Pod/default/web' },
    { address: '10.47.255.254', owner: 'gateway', description: 'gateway' },
  ],
  nodes: [{ node: 'node1', attachments: new Map([['v1', 'tap1']]), vifs: new Set(['v1']) }],
};
const [node] = whole.nodes;
if (!node) throw new Error('the fixture has no node');

const alias = { uuid: 'a1', name: 'aip', podUid: 'p1', address: '10.32.0.9', interfaces: ['v1'] };
const ofAlias = { address: '10.32.0.9', owner: 'a1', description: 'Pod/default/web' };

function found(changes: Partial<World>): string[] {
  return compareObjects({ ...whole, ...changes }).map(({ node: where, object, expected, found: what }) => `${where} ${object}: ${expected} / ${what}`);
}

describe('compareObjects', () => {
  it.each<[string, Partial<World>]>([
    ['a whole world', {}],
    ['a pod on the host network needs nothing', { ...empty(), pods: [{ ...pod, hostNetwork: true }] }],
    ['a pod without node needs nothing yet', { ...empty(), pods: [{ ...pod, node: '', phase: 'Pending', addresses: [] }] }],
    ['a finished pod needs nothing', { ...empty(), pods: [{ ...pod, phase: 'Succeeded' }] }],
    ['a pod that is being deleted may have lost everything', { ...empty(), pods: [{ ...pod, deleting: true }] }],
    ['a pod that is being deleted may still have everything', { pods: [{ ...pod, deleting: true }] }],
    ['a pod that waits for its attachment', { pods: [{ ...pod, phase: 'Pending', addresses: [] }], nodes: [{ ...node, attachments: new Map(), vifs: new Set() }] }],
    ['a node that did not answer is not judged', { nodes: [] }],
    ['the alias of a custom network is an address of the pod', { pods: [{ ...pod, addresses: ['10.32.0.9'] }], aliases: [alias], allocations: [...whole.allocations, ofAlias] }],
  ])('nothing: %s', (_rule, changes) => {
    expect(found(changes)).toEqual([]);
  });

  it.each<[string, Partial<World>, string[]]>([
    ['no machine', { machines: [] }, [' Pod/default/web: VirtualMachine p1 / absent']],
    ['no interface', { interfaces: [], instanceIps: [], allocations: [], nodes: [] }, [' Pod/default/web: VirtualMachineInterface / absent']],
    ['no InstanceIp', { instanceIps: [], allocations: [], pods: [{ ...pod, addresses: [] }] }, [' Pod/default/web: InstanceIp of VirtualMachineInterface v1 / absent']],
    ['no allocation', { allocations: [] }, [' Pod/default/web: allocation of 10.32.0.1 by InstanceIp i1 / absent']],
    ['an alias without allocation', { aliases: [alias] }, [' Pod/default/web: allocation of 10.32.0.9 by AliasIp a1 / absent']],
    ['the alias of another pod', { pods: [{ ...pod, addresses: ['10.32.0.9'] }], aliases: [{ ...alias, interfaces: ['v2'] }], allocations: [...whole.allocations, ofAlias] }, [' Pod/default/web: podIP 10.32.0.1 / podIP 10.32.0.9']],
    ['the alias of a pod that is gone', { aliases: [{ ...alias, podUid: 'p2', interfaces: [] }], allocations: [...whole.allocations, ofAlias] }, [' AliasIp/a1: absent / aip of pod p2, which is gone']],
    ['an allocation of another address', { allocations: [{ address: '10.32.0.2', owner: 'i1', description: 'Pod/default/web' }] }, [' Pod/default/web: allocation of 10.32.0.1 by InstanceIp i1 / absent']],
    ['an address that is not its own', { pods: [{ ...pod, addresses: ['10.32.0.7'] }] }, [' Pod/default/web: podIP 10.32.0.1 / podIP 10.32.0.7']],
    ['no attachment', { nodes: [{ ...node, attachments: new Map() }] }, ['node1 Pod/default/web: attachment / absent']],
    ['no row', { nodes: [{ ...node, vifs: new Set() }] }, ['node1 Pod/default/web: row in vifs / absent']],
    [
      'everything of a pod that is gone',
      { pods: [] },
      [
        ' VirtualMachine/p1: absent / vm of pod p1, which is gone',
        ' VirtualMachineInterface/v1: absent / vmi of pod p1, which is gone',
        ' InstanceIp/i1: absent / iip of pod p1, which is gone',
      ],
    ],
    ['a held address', { ...empty(), allocations: whole.allocations, pods: [] }, [' Allocation/10.32.0.1: absent / held by i1 for Pod/default/web, which is gone']],
    [
      'what is left on a node',
      { nodes: [{ ...node, attachments: new Map([...node.attachments, ['v9', 'tap9']]), vifs: new Set(['v1', 'v8']) }] },
      ['node1 Attachment/v9: absent / device tap9 without a VirtualMachineInterface', 'node1 Vif/v8: absent / row without a VirtualMachineInterface'],
    ],
  ])('a drift: %s', (_rule, changes, expected) => {
    expect(found(changes)).toEqual(expected);
  });
});

function empty(): Partial<World> {
  return { machines: [], interfaces: [], instanceIps: [], allocations: [], nodes: [] };
}
