import { parseArguments, type Command } from './arguments';
import { SandboxFailure } from './failure';

const accepted: [string, string[], string, Command][] = [
  ['the default name is contrail', ['up'], 'contrail', { kind: 'up' }],
  ['a name comes first', ['--name', 'blue', 'down'], 'blue', { kind: 'down' }],
  ['a name may follow an equals sign', ['--name=blue', 'status'], 'blue', { kind: 'status' }],
  [
    'up takes nodes and network in any order',
    ['up', '--network', 'bridge', '--nodes=10'],
    'contrail',
    { kind: 'up', workers: 10, network: 'bridge' },
  ],
  [
    'up may leave Jaeger for later',
    ['up', '--jaeger-later', '--nodes', '1'],
    'contrail',
    { kind: 'up', workers: 1, isJaegerLater: true },
  ],
  [
    "kubectl's own options are not looked at",
    ['kubectl', '--name', 'x', 'get', 'pods'],
    'contrail',
    { kind: 'kubectl', args: ['--name', 'x', 'get', 'pods'] },
  ],
  [
    'exec drops the first double dash only',
    ['exec', 'node2', '--', 'echo', '--', 'a b'],
    'contrail',
    { kind: 'exec', node: 'node2', args: ['echo', '--', 'a b'] },
  ],
  [
    'exec reaches the outside',
    ['exec', 'outside', 'ip'],
    'contrail',
    { kind: 'exec', node: 'outside', args: ['ip'] },
  ],
  ['logs without a component lists', ['logs'], 'contrail', { kind: 'logs', args: [] }],
  [
    'logs passes options to tail',
    ['logs', 'node1/kubelet', '-f'],
    'contrail',
    { kind: 'logs', component: 'node1/kubelet', args: ['-f'] },
  ],
  ['token is for the administrator by default', ['token'], 'contrail', { kind: 'token', role: 'admin' }],
  [
    'token takes role and namespace',
    ['token', '--namespace', 'blue', '--role=viewer'],
    'contrail',
    { kind: 'token', role: 'viewer', namespace: 'blue' },
  ],
  [
    'a member is one of a namespace',
    ['token', '--role', 'member'],
    'contrail',
    { kind: 'token', role: 'member', namespace: 'default' },
  ],
  ['no word asks for help', [], 'contrail', { kind: 'help' }],
];

const refused: [string, string[], string][] = [
  ['a name with other characters', ['--name', 'Blue', 'up'], '--name: is "Blue"'],
  ['a name that is too long', ['--name', 'a'.repeat(25), 'up'], '1 to 24'],
  ['no nodes', ['up', '--nodes', '0'], '1 to 10'],
  ['too many nodes', ['up', '--nodes', '11'], '1 to 10'],
  ['a number of nodes that is none', ['up', '--nodes', 'two'], '"two"'],
  ['an option without a value', ['up', '--nodes'], '--nodes: needs a value'],
  ['an unknown network', ['up', '--network', 'ovs'], 'ours, bridge, bridge-iptables'],
  ['an unknown option', ['up', '--fast'], '"--fast"'],
  ['an unknown node', ['exec', 'node11', '--', 'true'], '"node11" is no node'],
  ['exec without a command', ['exec', 'node1', '--'], 'needs a command'],
  ['an unknown role', ['token', '--role', 'root'], 'admin, member, viewer'],
  ['an unknown command', ['start'], '"start" is no command'],
  ['words too many', ['down', 'now'], '"now" is too much'],
  ['load-image without a file', ['load-image'], 'docker-archive'],
];

describe('parseArguments', () => {
  test.each(accepted)('%s', (_rule, words, name, command) => {
    expect(parseArguments(words)).toEqual({ name, command });
  });

  test.each(refused)('refuses %s', (_rule, words, message) => {
    let thrown: unknown;
    try {
      parseArguments(words);
    } catch (error: unknown) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SandboxFailure);
    expect(thrown).toMatchObject({
      exitStatus: 2,
      message: expect.stringContaining(message) as string,
    });
  });
});
