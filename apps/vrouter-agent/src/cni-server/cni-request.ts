import { z } from 'zod';
import { parseAddress, parseUuid } from '@contrail/net';
import type { DeviceHostPort } from '../oper/facts';
import { CniError, cniCodes } from './cni-error';

export const supportedVersions = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof supportedVersions)[number];

export const commands = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC', 'VERSION'] as const;
export type CniCommand = (typeof commands)[number];

/** Who is attached: a pod's interface, or a VMI named by somebody who is not Kubernetes. */
export type Subject =
  | { readonly kind: 'pod'; readonly uid: string; readonly namespace: string; readonly name: string }
  | { readonly kind: 'vmi'; readonly uuid: string }
  | { readonly kind: 'none' };

export interface AttachmentName {
  readonly containerId: string;
  readonly ifname: string;
}

export interface CniConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  readonly hostPorts: readonly DeviceHostPort[];
  readonly bandwidth: boolean;
  readonly prevResult: PrevResult | undefined;
  readonly validAttachments: readonly AttachmentName[] | undefined;
}

export interface CniRequest {
  readonly command: CniCommand;
  readonly containerId: string;
  readonly ifname: string;
  /** Path of the network namespace; empty for DEL when it is gone. */
  readonly netns: string;
  readonly subject: Subject;
  readonly config: CniConfig;
}

const bodySchema = z.object({ env: z.record(z.string(), z.string()), stdin: z.string() });

const text = (max: number) => z.string().max(max);
const port = z.number().int().min(1).max(65535);

const mappingFields = ['hostPort', 'containerPort', 'protocol', 'hostIP'];

/** containerd writes these keys with a capital letter; plugins in Go read them in any case. */
function withPluginNames(mapping: unknown): unknown {
  if (typeof mapping !== 'object' || mapping === null) return mapping;
  return Object.fromEntries(
    Object.entries(mapping).map(([key, value]): [string, unknown] => [
      mappingFields.find((field) => field.toLowerCase() === key.toLowerCase()) ?? key,
      value,
    ]),
  );
}

const prevResultSchema = z.object({
  interfaces: z.array(z.object({ name: text(64), mac: text(64).optional(), sandbox: text(4096).optional() })).max(64).default([]),
  ips: z.array(z.object({ address: text(64) })).max(64).default([]),
});
export type PrevResult = z.infer<typeof prevResultSchema>;

const configSchema = z.object({
  cniVersion: text(16).default('0.4.0'),
  name: text(256).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'starts with a letter or digit; then letters, digits, "_", "." and "-"').optional(),
  runtimeConfig: z
    .object({
      portMappings: z
        .array(
          z.preprocess(
            withPluginNames,
            z.object({
              hostPort: z.number().int().min(0).max(65535),
              containerPort: port,
              protocol: text(16).default('tcp'),
              hostIP: text(64).default(''),
            }),
          ),
        )
        .max(1024)
        .nullish(),
      bandwidth: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
  prevResult: prevResultSchema.nullish(),
  'cni.dev/valid-attachments': z
    .array(z.object({ containerID: text(256), ifname: text(64) }))
    .max(100_000)
    .nullish(),
});
type RawConfig = z.infer<typeof configSchema>;

const protocolNumbers: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

/**
 * Reads what the shim sent.
 *
 * @throws CniError with the specification's code, naming variable or field.
 */
export function parseCniRequest(body: string): CniRequest {
  const { env, stdin } = decode(body, bodySchema, 'request');
  const command = commands.find((known) => known === env['CNI_COMMAND']);
  if (!command) {
    throw new CniError(cniCodes.invalidEnvironment, `CNI_COMMAND is "${env['CNI_COMMAND'] ?? ''}"; it is one of ${commands.join(', ')}`);
  }
  const needsName = command === 'ADD' || command === 'DEL' || command === 'CHECK';
  const needsNetns = command === 'ADD' || command === 'CHECK';
  const containerId = readVariable(env, 'CNI_CONTAINERID', needsName, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,255}$/);
  const ifname = readVariable(env, 'CNI_IFNAME', needsName, /^(?!\.{1,2}$)[^\s/:\0]{1,15}$/);
  const netns = readVariable(env, 'CNI_NETNS', needsNetns, /^\/[^\0]{1,4095}$/);
  const subject = needsNetns ? parseSubject(env['CNI_ARGS'] ?? '') : { kind: 'none' as const };
  const config = toConfig(decode(stdin, configSchema, 'network configuration'));
  if (config.name === '' && command !== 'VERSION' && command !== 'STATUS') {
    throw new CniError(cniCodes.invalidConfig, 'name is absent; it names the network configuration');
  }
  if (command === 'CHECK' && !config.prevResult) {
    throw new CniError(cniCodes.invalidConfig, 'prevResult is absent; CHECK compares with the result of ADD');
  }
  return { command, containerId, ifname, netns, subject, config };
}

/** The version to answer in, also when the rest of the configuration is broken. */
export function versionOf(body: string): CniVersion {
  try {
    const { stdin } = bodySchema.parse(JSON.parse(body));
    const { cniVersion } = z.object({ cniVersion: z.string() }).parse(JSON.parse(stdin));
    return supportedVersions.find((known) => known === cniVersion) ?? '1.1.0';
  } catch {
    return '1.1.0';
  }
}

function decode<T>(json: string, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new CniError(cniCodes.decode, `the ${what} is not JSON`, String(error));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`);
  throw new CniError(cniCodes.invalidConfig, `the ${what} is invalid: ${issues.slice(0, 5).join('; ')}`);
}

function readVariable(env: Record<string, string>, name: string, required: boolean, form: RegExp): string {
  const value = env[name] ?? '';
  if (value === '' && required) throw new CniError(cniCodes.invalidEnvironment, `${name} is not set`);
  if (value !== '' && !form.test(value)) {
    throw new CniError(cniCodes.invalidEnvironment, `${name} is "${value.slice(0, 64)}"; it has the form ${form.source}`);
  }
  return value;
}

function parseSubject(args: string): Subject {
  const pairs = new Map<string, string>();
  for (const pair of args.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0) pairs.set(pair.slice(0, at), pair.slice(at + 1));
    else if (pair !== '') throw invalidArgs(`"${pair.slice(0, 64)}" is not KEY=VALUE`);
  }
  const uid = pairs.get('K8S_POD_UID') ?? '';
  if (uid !== '') {
    const namespace = pairs.get('K8S_POD_NAMESPACE') ?? '';
    const name = pairs.get('K8S_POD_NAME') ?? '';
    for (const [key, value] of [['K8S_POD_UID', uid], ['K8S_POD_NAMESPACE', namespace], ['K8S_POD_NAME', name]] as const) {
      if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(value)) throw invalidArgs(`${key} is "${value.slice(0, 64)}"`);
    }
    return { kind: 'pod', uid, namespace, name };
  }
  const vmi = pairs.get('CONTRAIL_VMI');
  if (vmi === undefined) return { kind: 'none' };
  try {
    parseUuid(vmi);
  } catch {
    throw invalidArgs(`CONTRAIL_VMI is "${vmi.slice(0, 64)}"; write the uuid of a VirtualMachineInterface`);
  }
  return { kind: 'vmi', uuid: vmi.toLowerCase() };
}

function invalidArgs(problem: string): CniError {
  return new CniError(cniCodes.invalidEnvironment, `CNI_ARGS: ${problem}`);
}

function toConfig(raw: RawConfig): CniConfig {
  const cniVersion = supportedVersions.find((known) => known === raw.cniVersion);
  if (!cniVersion) {
    throw new CniError(
      cniCodes.incompatibleVersion,
      `cniVersion is "${raw.cniVersion}"; supported are ${supportedVersions.join(', ')}`,
    );
  }
  const mappings = raw.runtimeConfig?.portMappings ?? [];
  return {
    cniVersion,
    name: raw.name ?? '',
    hostPorts: mappings.filter(({ hostPort }) => hostPort !== 0).map(toHostPort),
    bandwidth: Object.values(raw.runtimeConfig?.bandwidth ?? {}).some((value) => typeof value === 'number' && value > 0),
    prevResult: raw.prevResult ?? undefined,
    validAttachments: raw['cni.dev/valid-attachments']?.map(({ containerID, ifname }) => ({ containerId: containerID, ifname })),
  };
}

function toHostPort(mapping: { hostPort: number; containerPort: number; protocol: string; hostIP: string }): DeviceHostPort {
  const { hostPort, containerPort } = mapping;
  const protocol = protocolNumbers[mapping.protocol.toLowerCase()];
  if (protocol === undefined) {
    throw new CniError(cniCodes.unsupportedField, `runtimeConfig.portMappings protocol is "${mapping.protocol}"; write tcp, udp or sctp`);
  }
  try {
    const hostAddress = mapping.hostIP === '' ? new Uint8Array(0) : parseAddress(mapping.hostIP);
    return { protocol, hostPort, containerPort, hostAddress };
  } catch (error) {
    throw new CniError(cniCodes.invalidConfig, 'runtimeConfig.portMappings hostIP is not an address', String(error));
  }
}
