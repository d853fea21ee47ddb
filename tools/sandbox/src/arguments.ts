import { SandboxFailure } from './failure';
import { nodeNames, workerCountMax } from './address-plan';
import { roles, type Role } from './user-token';

export const networks = ['ours', 'bridge', 'bridge-iptables'] as const;
/**
 * `ours`: our agent; the others: the bridge plugin with kube-proxy (nftables, iptables), for
 * comparison.
 */
export type Network = (typeof networks)[number];

/** What the user asked for. */
export type Command =
  | {
      readonly kind: 'up';
      readonly workers?: number;
      readonly network?: Network;
      readonly isJaegerLater?: boolean;
    }
  | { readonly kind: 'down' }
  | { readonly kind: 'deploy' }
  | { readonly kind: 'status' }
  | { readonly kind: 'kubeconfig' }
  | { readonly kind: 'kubectl'; readonly args: readonly string[] }
  | { readonly kind: 'exec'; readonly node: string; readonly args: readonly string[] }
  | { readonly kind: 'load-image'; readonly file: string }
  | { readonly kind: 'logs'; readonly component?: string; readonly args: readonly string[] }
  | { readonly kind: 'build'; readonly groups: readonly string[] }
  | { readonly kind: 'token'; readonly role: Role; readonly namespace?: string }
  /** Of the forwarder that `up` starts; not for users. */
  | {
      readonly kind: 'forward';
      readonly socket: string;
      readonly portsFile: string;
      readonly rest: number;
      readonly identity: number;
    }
  | { readonly kind: 'help' };

export interface Invocation {
  readonly name: string;
  readonly command: Command;
}

export const usage = `Usage: sandbox [--name NAME] COMMAND

  up [--nodes N] [--network ours|bridge|bridge-iptables] [--jaeger-later]
                        start a cluster (default: 2 nodes beside the control plane, our network);
                        --jaeger-later leaves Jaeger to "deploy" where it had to be compiled first
  down                  stop it; leaves nothing but the cache folder
  deploy                build our images again and roll them out (network ours)
  status                what runs, where
  kubectl ARGS…         kubectl against the cluster
  kubeconfig            print the path of the administrator's kubeconfig
  exec NODE -- CMD…     run a command on control-plane, node1, node2, …, outside
  load-image FILE       import a docker-archive into every node
  logs [COMPONENT [TAIL-OPTIONS…]]
                        print a component's log; without a component, list them
  token [--role admin|member|viewer] [--namespace NS]
                        print a token for the REST API (default: admin; without a namespace, in the whole cluster)
  build [GROUP…]        build binaries into the cache and print their folders
                        (kubernetes containerd cni agnhost coredns jaeger e2e)
`;

/**
 * A name starts every namespace and cgroup of its sandbox, so it is short and has no other
 * characters.
 */
const namePattern = /^[a-z][a-z0-9-]{0,23}$/;

/**
 * Parses the words after the program's name.
 *
 * @throws SandboxFailure with exit status 2 that names the wrong word and what to write instead.
 */
export function parseArguments(words: readonly string[]): Invocation {
  const rest = [...words];
  let name = 'contrail';
  for (;;) {
    const value = takeOption(rest, '--name');
    if (value === undefined) break;
    name = value;
  }
  if (!namePattern.test(name)) {
    throw wrong(`--name: is "${name}"; write 1 to 24 of a-z, 0-9 and "-", a letter first`);
  }
  return { name, command: parseCommand(rest.shift() ?? 'help', rest) };
}

function parseCommand(word: string, rest: string[]): Command {
  switch (word) {
    case 'up':
      return parseUp(rest);
    case 'down':
    case 'deploy':
    case 'status':
    case 'kubeconfig':
      expectNoMore(word, rest);
      return { kind: word };
    case 'help':
    case '--help':
    case '-h':
      return { kind: 'help' };
    case 'kubectl':
      return { kind: 'kubectl', args: rest };
    case 'exec':
      return parseExec(rest);
    case 'load-image': {
      const file = rest.shift();
      if (file === undefined) throw wrong('load-image: needs the path of a docker-archive');
      expectNoMore(word, rest);
      return { kind: 'load-image', file };
    }
    case 'logs': {
      const component = rest.shift();
      return component === undefined
        ? { kind: 'logs', args: [] }
        : { kind: 'logs', component, args: rest };
    }
    case 'build':
      return { kind: 'build', groups: rest };
    case 'token':
      return parseToken(rest);
    case 'forward':
      return parseForward(rest);
    default:
      throw wrong(`"${word}" is no command\n\n${usage}`);
  }
}

function parseUp(rest: string[]): Command {
  let workers: number | undefined;
  let network: Network | undefined;
  let isJaegerLater = false;
  while (rest.length > 0) {
    if (rest[0] === '--jaeger-later') {
      isJaegerLater = true;
      rest.shift();
      continue;
    }
    const nodesValue = takeOption(rest, '--nodes');
    if (nodesValue !== undefined) {
      workers = /^\d{1,2}$/.test(nodesValue) ? Number(nodesValue) : 0;
      if (workers < 1 || workers > workerCountMax) {
        throw wrong(`up --nodes: is "${nodesValue}"; write a number from 1 to ${workerCountMax}`);
      }
      continue;
    }
    const networkValue = takeOption(rest, '--network');
    if (networkValue === undefined) throw wrong(`up: "${rest[0] ?? ''}" is no option of it`);
    network = networks.find((known) => known === networkValue);
    if (network === undefined) {
      throw wrong(`up --network: is "${networkValue}"; write one of ${networks.join(', ')}`);
    }
  }
  return {
    kind: 'up',
    ...(workers === undefined ? {} : { workers }),
    ...(network === undefined ? {} : { network }),
    ...(isJaegerLater ? { isJaegerLater } : {}),
  };
}

function parseToken(rest: string[]): Command {
  let role: Role = 'admin';
  let namespace: string | undefined;
  while (rest.length > 0) {
    const roleValue = takeOption(rest, '--role');
    if (roleValue !== undefined) {
      const known = roles.find((candidate) => candidate === roleValue);
      if (known === undefined) throw wrong(`token --role: is "${roleValue}"; write one of ${roles.join(', ')}`);
      role = known;
      continue;
    }
    const value = takeOption(rest, '--namespace');
    if (value === undefined) throw wrong(`token: "${rest[0] ?? ''}" is no option of it`);
    if (!/^[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?$/.test(value))
      throw wrong(`token --namespace: is "${value}"; write the name of a namespace`);
    namespace = value;
  }
  if (role === 'member' && namespace === undefined) namespace = 'default';
  return { kind: 'token', role, ...(namespace === undefined ? {} : { namespace }) };
}

function parseForward(rest: readonly string[]): Command {
  const [socket, portsFile, port, identity] = rest;
  if (socket === undefined || portsFile === undefined || identity === undefined)
    throw wrong('forward: needs SOCKET PORTS-FILE PORT PORT');
  return { kind: 'forward', socket, portsFile, rest: Number(port), identity: Number(identity) };
}

function parseExec(rest: string[]): Command {
  const node = rest.shift();
  if (node === undefined || ![...nodeNames(workerCountMax), 'outside'].includes(node)) {
    throw wrong(`exec: "${node ?? ''}" is no node; write control-plane, node1, … or outside`);
  }
  if (rest[0] === '--') rest.shift();
  if (rest.length === 0) throw wrong('exec: needs a command, as in "exec node1 -- ip address"');
  return { kind: 'exec', node, args: rest };
}

/** Takes `--option VALUE` or `--option=VALUE` from the front of the words. */
function takeOption(rest: string[], option: string): string | undefined {
  const first = rest[0];
  if (first?.startsWith(`${option}=`) === true) {
    rest.shift();
    return first.slice(option.length + 1);
  }
  if (first !== option) return undefined;
  rest.shift();
  const value = rest.shift();
  if (value === undefined) throw wrong(`${option}: needs a value`);
  return value;
}

function expectNoMore(word: string, rest: readonly string[]): void {
  if (rest.length > 0) throw wrong(`${word}: "${rest.join(' ')}" is too much`);
}

function wrong(message: string): SandboxFailure {
  return new SandboxFailure(message, 2);
}
