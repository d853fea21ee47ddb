import { readConfig } from '@contrail/env';
import type { EnvReader } from '@contrail/env';
import { formatPrefix, prefixesOverlap } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import { parseSharedProject } from '@contrail/resource-model';

/** Configuration with the names and defaults of R21 (contrail-kubernetes.conf), as environment variables. */
export interface Config {
  /** Prefix of the names of all objects. */
  readonly clusterName: string;
  /** One project for all namespaces; empty: one project for each. */
  readonly clusterProject: string;
  readonly domain: string;
  /** Value of the annotation `owner`. */
  readonly owner: string;
  readonly podSubnets: readonly Prefix[];
  readonly serviceSubnets: readonly Prefix[];
  readonly ipFabricSubnets: readonly Prefix[];
  readonly ipFabricSnat: boolean;
  readonly kubernetes: { readonly host: string; readonly port: number };
  /** Development only: a kubeconfig file instead of the ServiceAccount. */
  readonly kubeconfig: string | undefined;
  readonly configApiAddress: string;
  readonly ipamAddress: string;
  readonly adminAddress: { readonly host: string; readonly port: number };
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** Where the Lease lives. */
  readonly leaseNamespace: string;
  /** Name of this process among the candidates. */
  readonly identity: string;
  readonly sweepIntervalMs: number;
  readonly progressIntervalMs: number;
}

/** @throws ContrailError INVALID_ARGUMENT that lists every problem */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return readConfig(env, read);
}

function read(r: EnvReader): Config {
  const podSubnets = subnets(r, 'POD_SUBNETS');
  const serviceSubnets = subnets(r, 'SERVICE_SUBNETS');
  refuseOverlap(r, [...named('POD_SUBNETS', podSubnets), ...named('SERVICE_SUBNETS', serviceSubnets)]);
  const project = parseSharedProject(r.optionalString('CLUSTER_PROJECT') ?? '');
  if ('problem' in project) r.problems.push(`CLUSTER_PROJECT ${project.problem}`);
  const kubeconfig = r.optionalString('KUBECONFIG');
  const clusterName = r.string('CLUSTER_NAME', 'k8s');
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(clusterName)) {
    r.problems.push(`CLUSTER_NAME is "${clusterName}"; write a DNS label: lower-case letters, digits and hyphens`);
  }
  return {
    clusterName,
    clusterProject: 'problem' in project ? '' : project.name,
    domain: r.string('KUBERNETES_CLUSTER_DOMAIN', 'default-domain'),
    owner: r.string('KUBERNETES_CLUSTER_OWNER', 'k8s'),
    podSubnets,
    serviceSubnets,
    ipFabricSubnets: r.prefixes('IP_FABRIC_SUBNETS', []),
    ipFabricSnat: r.boolean('IP_FABRIC_SNAT', true),
    kubernetes: {
      host: kubeconfig === undefined ? r.string('KUBERNETES_SERVICE_HOST') : '',
      port: r.integer('KUBERNETES_SERVICE_PORT', { default: 443, min: 1, max: 65535 }),
    },
    kubeconfig,
    configApiAddress: r.string('CONFIG_API_ADDRESS'),
    ipamAddress: r.string('IPAM_ADDRESS'),
    adminAddress: r.address('ADMIN_ADDRESS', '0.0.0.0:9104'),
    tls: {
      certFile: r.string('TLS_CERT_FILE', '/etc/contrail/tls/tls.crt'),
      keyFile: r.string('TLS_KEY_FILE', '/etc/contrail/tls/tls.key'),
      caFile: r.string('TLS_CA_FILE', '/etc/contrail/tls/ca.crt'),
    },
    leaseNamespace: r.string('POD_NAMESPACE', 'contrail'),
    identity: r.string('POD_NAME', `kube-manager-${process.pid}`),
    sweepIntervalMs: r.duration('SWEEP_INTERVAL', 30_000),
    progressIntervalMs: r.duration('PROGRESS_INTERVAL', 5_000),
  };
}

/** Mandatory, as in R21. */
function subnets(r: EnvReader, name: string): Prefix[] {
  const prefixes = r.prefixes(name);
  if (prefixes.length === 0 && !r.problems.some((problem) => problem.startsWith(name))) {
    r.problems.push(`${name} has no subnet; write one or several, separated by commas`);
  }
  return prefixes;
}

interface NamedPrefix {
  readonly variable: string;
  readonly prefix: Prefix;
}

function named(variable: string, prefixes: readonly Prefix[]): NamedPrefix[] {
  return prefixes.map((prefix) => ({ variable, prefix }));
}

function refuseOverlap(r: EnvReader, all: readonly NamedPrefix[]): void {
  for (const [i, a] of all.entries()) {
    for (const b of all.slice(0, i)) {
      if (a.prefix.address.length !== b.prefix.address.length || !prefixesOverlap(a.prefix, b.prefix)) continue;
      r.problems.push(
        `${a.variable} ${formatPrefix(a.prefix)} overlaps ${b.variable} ${formatPrefix(b.prefix)}; use disjoint subnets`,
      );
    }
  }
}
