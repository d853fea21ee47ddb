import type { Entry, Path } from '@contrail/proto-gen/control/v1/messages';
import { formatAddress } from '@contrail/net';
import * as make from '../testing/entries';
import type { AttachedDevice, Facts, LocalFacts } from './facts';
import { noLocalFacts } from './facts';
import { reduce } from './reduce';
import type { UnitRows } from './unit-rows';

const addresses: Record<string, string[]> = { node1: ['192.0.2.1'], node2: ['2001:db8::2', '192.0.2.2'] };
const local: LocalFacts = { ...noLocalFacts, nodeAddressV4: make.bytes('192.0.2.1'), hostIfindex: 4, podMtu: 1450 };

function facts(devices: Record<string, AttachedDevice> = {}): Facts {
  return {
    self: 'node1',
    node: (name) => {
      const kind = make.nodeEntry(name, ...(addresses[name] ?? [])).kind;
      return kind?.$case === 'node' && addresses[name] ? kind.value : undefined;
    },
    device: (uuid) => devices[uuid],
    policyKnown: (id) => id === make.policyId,
    global: () => {
      const kind = make.globalEntry().kind;
      return kind?.$case === 'global' ? kind.value : undefined;
    },
    local: () => local,
  };
}

function rowsOf(entry: Entry, devices: Record<string, AttachedDevice> = {}): UnitRows {
  if (!entry.kind) throw new Error('entry has no kind');
  return reduce(entry.kind, facts(devices));
}

const attached = { [make.vmiUuid(1)]: { ifindex: 100, mtu: 1450, hostPorts: [] } };

describe('routes', () => {
  const hops = (...paths: Path[]): string[] => {
    const route = rowsOf(make.routeEntry(make.podVrf, '10.32.0.1/32', ...paths), attached).routes?.[0];
    return (route?.members ?? []).map((hop) =>
      [hop.kind, hop.ifindex || '', hop.remote ? formatAddress(hop.remote) : '', hop.vrf || '', hop.label || '', hop.snat ? 'snat' : '']
        .filter((part) => part !== '')
        .join(' '),
    );
  };
  const foreign: Path = {
    nextHop: { $case: 'tunnel', value: { remote: make.bytes('198.51.100.1'), vni: 777, mac: Buffer.alloc(6) } },
    preference: 0,
  };
  const discard: Path = { nextHop: { $case: 'discard', value: {} }, preference: 0 };

  it.each<[string, Path[], string[]]>([
    ['an attached interface of this node is encap', [make.interfacePath('node1', 1)], ['encap 100 5']],
    ['an interface of this node without device discards', [make.interfacePath('node1', 2)], ['discard']],
    ['an interface of another node is a tunnel to its IPv4 address', [make.interfacePath('node2', 3)], ['tunnel 192.0.2.2 5']],
    ['an interface of an unknown node discards', [make.interfacePath('node9', 3)], ['discard']],
    ['this node itself is receive', [make.nodePath('node1')], ['receive 5']],
    ['another node is a tunnel into the fabric VRF', [make.nodePath('node2')], ['tunnel 192.0.2.2 1']],
    ['the fabric translates when asked', [make.fabricPath()], ['fabric snat']],
    ['discard stays discard', [discard], ['discard']],
    ['a foreign tunnel has its own label', [foreign], ['tunnel 198.51.100.1 777']],
    ['no path discards', [], ['discard']],
    ['equal preference is ECMP', [make.interfacePath('node1', 1), make.interfacePath('node2', 3)], ['encap 100 5', 'tunnel 192.0.2.2 5']],
    ['the better preference wins alone', [make.interfacePath('node1', 1), make.interfacePath('node2', 3, 200)], ['tunnel 192.0.2.2 5']],
    ['preference 0 means 100', [make.interfacePath('node1', 1, 100), make.interfacePath('node2', 3, 0)], ['encap 100 5', 'tunnel 192.0.2.2 5']],
    ['an unresolved path leaves the others', [make.interfacePath('node9', 9), make.interfacePath('node2', 3)], ['tunnel 192.0.2.2 5']],
    ['equal paths count once', [make.fabricPath(), make.fabricPath()], ['fabric snat']],
  ])('%s', (_rule, paths, expected) => {
    expect(hops(...paths)).toEqual(expected);
  });

  it('refuses host bits in a prefix', () => {
    const value = { key: { vrf: 5, prefix: { address: make.bytes('10.0.0.1'), length: 8 } }, paths: [], identity: 0 };
    expect(() => rowsOf({ kind: { $case: 'route', value } })).toThrow('route.key.prefix: 10.0.0.1/8 has host bits');
  });
});

describe('services', () => {
  const chosen = (...args: Parameters<typeof make.serviceEntry>): string[] =>
    (rowsOf(make.serviceEntry(...args)).services?.[0]?.backends ?? []).map((b) => `${formatAddress(b.address)}:${b.port}`);
  const terminating = { ready: false, serving: true, terminating: true };

  it.each<[string, Parameters<typeof make.serviceEntry>, string[]]>([
    ['ready backends only', ['10.96.0.1', [make.backend(1), make.backend(2, { ready: false })]], ['10.32.0.1:8080']],
    ['serving terminating ones when none is ready', ['10.96.0.1', [make.backend(1, terminating)]], ['10.32.0.1:8080']],
    ['a terminating one not beside a ready one', ['10.96.0.1', [make.backend(1, terminating), make.backend(2)]], ['10.32.0.2:8080']],
    ['not a terminating one that no longer serves', ['10.96.0.1', [make.backend(1, { ...terminating, serving: false })]], []],
    ['duplicates once', ['10.96.0.1', [make.backend(1), make.backend(1, { memberUuid: 'x' })]], ['10.32.0.1:8080']],
    ['local ones under internal policy Local', ['10.96.0.1', [make.backend(1), make.backend(2, { node: 'node2' })], { internalLocalOnly: true }], ['10.32.0.1:8080']],
    ['all for a cluster IP under external policy Local', ['10.96.0.1', [make.backend(1), make.backend(2, { node: 'node2' })], { externalLocalOnly: true }], ['10.32.0.1:8080', '10.32.0.2:8080']],
    ['local ones for an external address under external policy Local', ['203.0.113.1', [make.backend(1), make.backend(2, { node: 'node2' })], { externalLocalOnly: true, external: true }], ['10.32.0.1:8080']],
  ])('balances over %s', (_rule, args, expected) => {
    expect(chosen(...args)).toEqual(expected);
  });

  it.each([
    ['backend port 0', make.serviceEntry('10.96.0.1', [make.backend(1, { port: 0 })]), 'service.backends.port: is 0'],
    ['no key', make.serviceEntry('10.96.0.1', [], { key: undefined }), 'service.key: is absent'],
  ])('refuses %s', (_rule, entry, message) => {
    expect(() => rowsOf(entry)).toThrow(message);
  });
});

describe('interfaces', () => {
  it('want nothing before their device exists', () => {
    expect(rowsOf(make.interfaceEntry(1))).toEqual({});
  });

  it('are a Vif with their addresses and allowed prefixes as sources', () => {
    const rows = rowsOf(make.interfaceEntry(1, { allowedSources: [make.prefix('198.51.100.0/24')] }), attached);
    expect(rows.vifs?.[0]?.[0]).toEqual({ ifindex: 100, vlan: 0 });
    expect(rows.vifs?.[0]?.[1]).toMatchObject({ kind: 'pod', vrf: 5, identity: 40, policy: 3, mtu: 1450, portSecurity: true });
    expect(rows.sources?.map(({ prefix }) => `${formatAddress(prefix.address)}/${prefix.length}`)).toEqual([
      '10.32.0.1/32',
      '198.51.100.0/24',
    ]);
  });

  it('with several IPv4 addresses name them all, so that answers come from the one that was asked', () => {
    const named = (...texts: string[]): string[] | undefined => {
      const addresses = texts.map((text) => make.podAddress(text));
      return rowsOf(make.interfaceEntry(1, { addresses }), attached).vifs?.[0]?.[1].addressesV4.map(formatAddress);
    };
    expect(named('198.51.100.5', '2001:db8::5', '10.32.0.1')).toEqual(['198.51.100.5', '10.32.0.1']);
    expect(named('198.51.100.5', '2001:db8::5')).toEqual([]);
  });

  it('have policy 0 while the table of their policy is unknown', () => {
    expect(rowsOf(make.interfaceEntry(1, { policy: 8 }), attached).vifs?.[0]?.[1].policy).toBe(0);
  });

  it('of another node are ignored', () => {
    expect(rowsOf(make.interfaceEntry(1, { node: 'node2' }), attached)).toEqual({});
  });

  it('that are nested use the device of their parent and their tag', () => {
    const entry = make.interfaceEntry(7, { vlan: 12, parentUuid: make.vmiUuid(1) });
    expect(rowsOf(entry, attached).vifs?.[0]?.[0]).toEqual({ ifindex: 100, vlan: 12 });
  });

  it.each([
    ['', ['0.0.0.0']],
    ['0.0.0.0', ['0.0.0.0']],
    ['::', []],
    ['192.0.2.9', ['192.0.2.9']],
  ])('serve a hostPort with host address "%s" on %j', (hostAddress, expected) => {
    const port = { protocol: 6, hostPort: 8080, containerPort: 80, hostAddress: hostAddress ? make.bytes(hostAddress) : Buffer.alloc(0) };
    const services = rowsOf(make.interfaceEntry(1, { hostPorts: [port] }), attached).services ?? [];
    expect(services.map(({ key }) => formatAddress(key.address))).toEqual(expected);
    if (expected.length > 0) expect(services[0]).toMatchObject({
      key: { vrf: make.fabricVrf, protocol: 6, port: 8080 },
      flags: { hostPort: true },
      backends: [{ port: 80, vrf: make.podVrf }],
    });
  });
});

describe('the others', () => {
  it('a policy table has its rules and both defaults', () => {
    const rows = rowsOf(make.policyEntry(3, { rules: [make.denyRule(443, 9)] })).policies ?? [];
    expect(rows.map(([key, value]) => `${key.direction} ${key.protocol}/${key.port}/${key.portLength} ${value.verdict} ${value.rule}`)).toEqual([
      'ingress 6/443/16 deny 9',
      'ingress 0/0/0 pass 0',
      'egress 0/0/0 pass 0',
    ]);
  });

  it('a label leads both ways', () => {
    expect(rowsOf(make.labelEntry(70, 5, 40))).toEqual({
      labelsIn: [[70, { vrf: 5, identity: 40, senderVrf: 5, senderSpace: 0 }]],
      labelsOut: [[{ vrf: 5, identity: 40 }, 70]],
    });
  });

  it('a VRF answers for its gateway addresses', () => {
    const rows = rowsOf(make.vrfEntry(5, '10.47.255.254'));
    expect(rows.vrfs).toEqual([[5, { maxFlows: 0, vni: 1005, space: 0 }]]);
    expect(rows.gateways).toEqual([{ vrf: 5, address: make.bytes('10.47.255.254') }]);
  });

  it('tunnel packets are accepted from every address of a node', () => {
    const rows = rowsOf(make.nodeEntry('node1', '192.0.2.1', '192.0.2.2')).nodes ?? [];
    expect(rows.map(([key, value]) => `${formatAddress(key.address)} ${value.self}`)).toEqual(['192.0.2.1 true', '192.0.2.2 true']);
  });

  it('the node itself is an interface of the fabric VRF', () => {
    expect(rowsOf(make.globalEntry()).vifs).toMatchObject([[{ ifindex: 4, vlan: 0 }, { kind: 'host', vrf: 1, identity: 2 }]]);
  });
});
