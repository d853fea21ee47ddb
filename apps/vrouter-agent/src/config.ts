import { readConfig } from '@contrail/env';
import type { EnvReader, HostPort } from '@contrail/env';
import { tryParseAddress } from '@contrail/net';

export interface Config {
  /** Name of the Kubernetes Node and of the VirtualRouter. */
  readonly node: string;
  /** Address of the node while control has not named it. */
  readonly nodeAddress: Uint8Array | undefined;
  /** "host:port" of each control replica. */
  readonly controlAddresses: readonly string[];
  readonly bootstrapAddress: string;
  readonly tokenFile: string;
  readonly caFile: string;
  /** Certificate and attachments; survives restarts and reboots. */
  readonly stateFolder: string;
  readonly listenAddress: string;
  readonly adminAddress: HostPort;
  readonly agentSocket: string;
  readonly cniSocket: string;
  readonly cniBinFolder: string;
  readonly cniConfigFolder: string;
  /** The plugin in the agent's image. */
  readonly cniShimFile: string;
  readonly cniAddDeadlineMs: number;
  readonly bpfObjectFile: string;
  readonly bpfPinPath: string;
  readonly flowCapacity: number;
  /** Between two comparisons of the node with its desired state. */
  readonly verifyIntervalMs: number;
  /** Undefined where there is no Kubernetes: events go to the log. */
  readonly kubernetes: { readonly host: string; readonly port: number } | undefined;
  readonly version: string;
}

/** Reads the environment. @throws ContrailError INVALID_ARGUMENT with every problem. */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return readConfig(env, (reader) => ({
    node: reader.string('NODE_NAME'),
    nodeAddress: readNodeAddress(reader),
    controlAddresses: readAddresses(reader, 'CONTROL_ADDRESS'),
    bootstrapAddress: readBootstrapAddress(reader),
    tokenFile: reader.string('AGENT_TOKEN_FILE', '/var/run/secrets/contrail/token'),
    caFile: reader.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
    stateFolder: reader.string('STATE_DIR', '/var/lib/contrail/agent'),
    listenAddress: toText(reader.address('LISTEN_ADDRESS', '0.0.0.0:9006')),
    adminAddress: reader.address('ADMIN_ADDRESS', '0.0.0.0:9106'),
    agentSocket: reader.string('AGENT_SOCKET', '/var/run/contrail/agent.sock'),
    cniSocket: reader.string('CNI_SOCKET', '/var/run/contrail/cni.sock'),
    cniBinFolder: reader.string('CNI_BIN_DIR', '/opt/cni/bin'),
    cniConfigFolder: reader.string('CNI_CONFIG_DIR', '/etc/cni/net.d'),
    cniShimFile: reader.string('CNI_SHIM_FILE', '/opt/contrail/cni/contrail-cni'),
    cniAddDeadlineMs: reader.duration('CNI_ADD_DEADLINE', 20_000),
    bpfObjectFile: reader.string('BPF_OBJECT_FILE', '/opt/contrail/bpf/vrouter.bpf.o'),
    bpfPinPath: reader.string('BPF_PIN_PATH', '/sys/fs/bpf/contrail'),
    flowCapacity: reader.integer('FLOW_CAPACITY', { default: 262_144, min: 1024, max: 16_777_216 }),
    verifyIntervalMs: reader.duration('VERIFY_INTERVAL', 60_000),
    kubernetes: readKubernetes(reader),
    version: reader.string('CONTRAIL_VERSION', 'development'),
  }));
}

function readNodeAddress(reader: EnvReader): Uint8Array | undefined {
  const text = reader.optionalString('NODE_IP');
  if (text === undefined) return undefined;
  const address = tryParseAddress(text);
  if (!address) reader.problems.push(`NODE_IP is "${text}"; write the node's InternalIP`);
  return address;
}

function readAddresses(reader: EnvReader, name: string): string[] {
  const found = reader.list(name);
  for (const text of found) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/.test(text)) {
      reader.problems.push(`${name} has "${text}"; write host:port, several with commas between them`);
    }
  }
  return found;
}

/** Port 9011 of the first config-api, unless it is named. */
function readBootstrapAddress(reader: EnvReader): string {
  if (reader.optionalString('CONFIG_API_BOOTSTRAP_ADDRESS') !== undefined) {
    return readAddresses(reader, 'CONFIG_API_BOOTSTRAP_ADDRESS').join(',');
  }
  const first = readAddresses(reader, 'CONFIG_API_ADDRESS')[0] ?? '';
  return first.replace(/:\d+$/, ':9011');
}

function readKubernetes(reader: EnvReader): { host: string; port: number } | undefined {
  const host = reader.optionalString('KUBERNETES_SERVICE_HOST');
  const port = reader.integer('KUBERNETES_SERVICE_PORT', { default: 443, min: 1, max: 65_535 });
  return host === undefined ? undefined : { host, port };
}

function toText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
