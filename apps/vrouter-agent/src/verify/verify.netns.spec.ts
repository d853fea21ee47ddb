/** Drift on the kernel: something is broken behind the agent's back, named, mended, and gone. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress } from '@contrail/net';
import { createDevice } from '../cni-server/add-interface';
import type { CniContext } from '../cni-server/cni-context';
import { layoutFolder } from '../datapath/bpf/bpf-object';
import { libbpf } from '../datapath/bpf/libbpf';
import { flowNow } from '../datapath/flow-view';
import { flowKeyV4Struct, flowValueV4Struct } from '../datapath/layout/flow-structs';
import { enterNetns } from '../datapath/netlink/netns';
import { missingForLab } from '../datapath/testing/lab';
import { Walk } from '../datapath/testing/walk';
import * as make from '../testing/entries';
import { attachmentIn, shortClock, syncedContext } from '../testing/verify-fixture';
import { Verifier } from './verifier';

const missing = missingForLab();
const describeKernel = missing === undefined ? describe : describe.skip;

describeKernel(`verify on the kernel${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'verify-'));
  let walk: Walk;
  let leave: () => void = () => undefined;
  let context: CniContext;
  let verifier: Verifier;
  let pods = '';

  const ip = (...args: string[]): string => execFileSync('ip', args).toString();
  const inPod = (...args: string[]): string => ip('-n', `${walk.name}-pods`, ...args);
  const tapIfindex = (): number => context.datapath.devices.inspectDevice('tap1')?.ifindex ?? 0;
  const pinned = (map: string): number => libbpf().get(join(layoutFolder(join(walk.folder, 'bpf', 'contrail'), context.datapath.layoutVersion), map));
  const podRoute = { vrf: make.podVrf, address: parseAddress('10.32.0.1') };

  beforeAll(async () => {
    walk = await Walk.create({ flowCapacity: 1024 });
    pods = `/run/netns/${walk.name}-pods`;
    // Verifying waits in between, so this thread stays on the node.
    leave = enterNetns(`/run/netns/${walk.name}`);
    context = syncedContext(walk.datapath, folder);
    const attachment = attachmentIn(pods);
    const vmi = context.state.desired.entries.findInterface(attachment.vmiUuid);
    if (!vmi) throw new Error('the fixture has no interface');
    context.attachments.put(attachment);
    createDevice(context, attachment, vmi);
    verifier = new Verifier(context, shortClock, new AbortController().signal);
  }, 60_000);

  afterAll(async () => {
    context.state.stop();
    leave();
    await walk.destroy();
    rmSync(folder, { recursive: true });
  }, 30_000);

  test('a node as it should be has no drift', async () => {
    const { drifts, checked } = await verifier.run({ repair: false, thorough: true });
    expect(drifts).toEqual([]);
    // Four hooks of the node, the pod's, five slow programs.
    expect(checked.get('program')).toBe(10);
    expect(checked.get('map')).toBeGreaterThan(10);
    expect(checked.get('pin')).toBeGreaterThan(20);
    expect(checked.get('interface')).toBe(1);
  });

  const cases: Array<[string, () => void, { kind: string; object: unknown; expected?: unknown; found?: unknown }]> = [
    ['a filter is detached', () => context.datapath.detach(tapIfindex()), { kind: 'program', object: expect.stringMatching(/^pod at ifindex/), found: 'absent' }],
    ['another program is attached', () => context.datapath.attach(tapIfindex(), 'tunnel'), { kind: 'program', object: expect.stringMatching(/^pod at ifindex/), found: expect.stringMatching(/^program id \d+$/) }],
    ['the uplink loses its clsact', () => void execFileSync('tc', ['qdisc', 'del', 'dev', 'eth0', 'clsact']), { kind: 'program', object: expect.stringMatching(/^uplink at/), found: 'absent' }],
    ['a slow program is removed', () => void libbpf().remove(pinned('slow_programs'), Buffer.alloc(4)), { kind: 'program', object: 'pod_slow', found: 'absent' }],
    ['a pin is removed', () => rmSync(join(layoutFolder(join(walk.folder, 'bpf', 'contrail'), context.datapath.layoutVersion), 'host_routes_v4')), { kind: 'pin', object: expect.stringContaining('host_routes_v4'), found: 'absent' }],
    ['a row is deleted', () => context.datapath.hostRoutes.remove([podRoute]), { kind: 'map', object: expect.stringContaining('vrf=5 address=10.32.0.1'), found: 'absent' }],
    ['a row is changed', () => context.datapath.hostRoutes.upsert([[podRoute, { nextHop: 999, identity: 0 }]]), { kind: 'map', found: 'nextHop=999', object: expect.stringContaining('10.32.0.1') }],
    ['a row is added', () => context.datapath.nodes.upsert([[{ address: parseAddress('203.0.113.66') }, { self: false }]]), { kind: 'map', object: expect.stringContaining('203.0.113.66'), expected: 'absent' }],
    ['globals are changed', () => context.datapath.setGlobals({ ...walk.globals, snatPortMin: 5 }), { kind: 'globals', object: 'globals', found: expect.stringContaining('snatPortMin=5') }],
    ['a route of the node is deleted', () => void ip('route', 'del', '10.32.0.0/12'), { kind: 'route', object: '10.32.0.0/12', found: 'absent' }],
    ['a route is added in our name', () => void ip('route', 'add', '203.0.113.0/24', 'dev', 'vhost0', 'proto', '140'), { kind: 'route', object: '203.0.113.0/24', expected: 'absent' }],
    ['the MTU of vhost0 is changed', () => void ip('link', 'set', 'vhost0', 'mtu', '1300'), { kind: 'device', object: 'vhost0', found: expect.stringContaining('mtu 1300') }],
    ['the tunnel device is deleted', () => void ip('link', 'del', 'vxlan-contrail'), { kind: 'device', object: 'vxlan-contrail', found: 'absent' }],
    ['the MTU of a veth is changed', () => void ip('link', 'set', 'tap1', 'mtu', '1300'), { kind: 'interface', object: 'tap1 on the node (default/web-1)', found: expect.stringContaining('mtu 1300') }],
    ['a veth is set down', () => void ip('link', 'set', 'tap1', 'down'), { kind: 'interface', object: expect.stringContaining('tap1 on the node'), found: expect.stringContaining('down') }],
    ['the MAC in the pod is changed', () => void inPod('link', 'set', 'eth0', 'address', '02:66:66:66:66:66'), { kind: 'interface', object: expect.stringContaining('in the pod'), found: expect.stringContaining('02:66:66:66:66:66') }],
    ['the address in the pod is removed', () => void inPod('addr', 'flush', 'dev', 'eth0'), { kind: 'interface', object: expect.stringContaining('in the pod'), found: expect.stringContaining('addresses -') }],
    ['the default route in the pod is removed', () => void inPod('route', 'del', 'default'), { kind: 'interface', object: expect.stringContaining('in the pod'), found: expect.stringContaining('gateways -') }],
    ['the default route has lost its source', () => void inPod('route', 'replace', 'default', 'via', '10.47.255.254', 'proto', '140'), { kind: 'interface', object: expect.stringContaining('in the pod'), expected: expect.stringContaining('default src 10.33.0.1'), found: expect.stringMatching(/sources 10\.32\.0\.0\/12 src 10\.32\.0\.1$/) }],
    ['the pair is deleted', () => void ip('link', 'del', 'tap1'), { kind: 'interface', object: expect.stringContaining('tap1 on the node'), found: 'absent' }],
    ['a device of ours belongs to nobody', () => void ip('link', 'add', 'tap9', 'address', '00:00:5e:00:01:00', 'type', 'veth', 'peer', 'name', 'tap9p'), { kind: 'device', object: 'tap9', expected: 'absent' }],
    ['the container of an attachment is gone', () => context.attachments.put(attachmentIn('/run/netns/absent', { containerId: 'c2', vmiUuid: make.vmiUuid(2), hostInterface: 'tap2', pod: '' })), { kind: 'attachment', object: 'c2/eth0', expected: 'absent' }],
    ['flows of an interface stay that is gone', () => void addFlow(), { kind: 'flow', object: 'zone 4242 vlan 0', found: '1 flow records' }],
  ];

  function addFlow(): void {
    const address = parseAddress('10.32.0.9');
    const key = flowKeyV4Struct.encode({ zone: 4242, vlan: 0, protocol: 6, pad: 0, localPort: 1, remotePort: 2, local: address, remote: address, remoteVrf: 0 });
    // The first word is the generation; 0 would be a record that has ended.
    const value = Buffer.alloc(flowValueV4Struct.size);
    value.writeUInt32LE(1);
    // Just used: an idle record would be expired before it is looked at twice.
    value.writeUInt32LE(flowNow(process.hrtime.bigint()), flowValueV4Struct.fields.get('lastOut')?.offset);
    expect(libbpf().update(pinned('flows_v4'), key, value, 0n)).toBe(0);
  }

  test.each(cases)('%s: named, mended, and not found again', async (_what, breakIt, expected) => {
    breakIt();
    const seen = await verifier.run({ repair: false, thorough: true });
    expect(seen.drifts).toContainEqual(expect.objectContaining({ ...expected, mended: false }));
    const repaired = await verifier.run({ repair: true, thorough: true });
    expect(repaired.drifts).toContainEqual(expect.objectContaining({ ...expected, mended: true }));
    expect(repaired.drifts.filter(({ mended }) => !mended)).toEqual([]);
    expect((await verifier.run({ repair: false, thorough: true })).drifts).toEqual([]);
  }, 30_000);

  test('what a pod adds to its own interface is none of our business', async () => {
    inPod('addr', 'add', '203.0.113.7/32', 'dev', 'eth0');
    inPod('route', 'add', '203.0.113.0/24', 'via', '10.47.255.254');
    expect((await verifier.run({ repair: false, thorough: true })).drifts).toEqual([]);
  });
});
