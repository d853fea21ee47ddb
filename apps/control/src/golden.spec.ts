import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatAddress, formatMac } from '@contrail/net';
import { Entry } from '@contrail/proto-gen/control/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiled } from '../testing/compiled';
import { clusterResources, nodeResource, podResources, serviceResources } from '../testing/cluster';
import { scopeRank } from './compile/scopes';
import { scopesOfNode } from './stream/node-needs';

/** Set to write what comes out instead of comparing it: UPDATE_GOLDEN=1 npx jest -c apps/control/jest.config.js golden */
const updates = process.env['UPDATE_GOLDEN'] === '1';

/** Two nodes with a pod each, a service with both pods behind it, one with a node, one with nobody. */
const twoNodeCluster: Resource[] = [
  ...clusterResources(),
  nodeResource(1),
  nodeResource(2),
  ...podResources({ n: 1, node: 'node1', address: '10.47.255.252' }),
  ...podResources({ n: 2, node: 'node2', address: '10.47.255.251' }),
  ...serviceResources({
    n: 1,
    clusterIp: '10.96.0.10',
    port: 80,
    targetPort: 8080,
    members: [
      { address: '10.47.255.252', pod: 1, node: 'node1' },
      { address: '10.47.255.251', pod: 2, node: 'node2' },
    ],
  }),
  ...serviceResources({
    n: 2,
    clusterIp: '10.96.0.1',
    port: 443,
    targetPort: 6443,
    members: [{ address: '192.0.2.1' }],
  }),
  ...serviceResources({
    n: 3,
    clusterIp: '10.96.0.20',
    port: 80,
    targetPort: 80,
    members: [{ address: '10.47.255.251', pod: 2, ready: false }],
  }),
];

/** All that a node gets, in the order of a snapshot, with addresses as people write them. */
function stateOf(node: string, { compiler, table }: Compiled): unknown[] {
  const scopes = [...scopesOfNode({ table, topology: compiler.topology, reach: compiler.reach }, node)];
  return scopes
    .sort((a, b) => scopeRank(a) - scopeRank(b) || (a < b ? -1 : 1))
    .flatMap((scope) => [...table.scope(scope).values()].sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1)))
    .map(({ bytes }) => readable(Entry.toJSON(Entry.decode(bytes))));
}

/** Base64 of 4, 6 or 16 bytes becomes an address; empty values go. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, isBytes(name) ? readableBytes(field) : readable(field)]),
    );
  }
  return value;
}

function isBytes(name: string): boolean {
  return /^(mac|address|addresses|gateway|gatewayAddresses|dnsServer|hairpinAddressV4)$/.test(name);
}

function readableBytes(field: unknown): unknown {
  if (Array.isArray(field)) return field.map((item) => (typeof item === 'string' ? readableBytes(item) : readable(item)));
  if (typeof field !== 'string') return readable(field);
  const bytes = Buffer.from(field, 'base64');
  return bytes.length === 6 ? formatMac(bytes) : formatAddress(bytes);
}

describe('two nodes in default mode', () => {
  const state = new Compiled(twoNodeCluster);

  it.each(['node1', 'node2', 'node-without-pods'])('%s gets what testdata says', (node) => {
    const file = path.join(__dirname, '..', 'testdata', 'two-nodes', `${node}.json`);
    const got = `${JSON.stringify(stateOf(node, state), null, 1)}\n`;
    if (updates) writeFileSync(file, got);
    expect(existsSync(file)).toBe(true);
    expect(got).toBe(readFileSync(file, 'utf8'));
  });
});
