import { readConfig } from '@contrail/env';
import type { EnvReader } from '@contrail/env';
import { parseSharedProject, podNetworkName, projectName, serviceNetworkName } from '@contrail/resource-model';
import type { CompileSettings } from './compile/compile-context';

export interface Config {
  readonly listenAddress: string;
  readonly adminAddress: { readonly host: string; readonly port: number };
  readonly configApiAddress: string;
  readonly tls: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly settings: CompileSettings;
  /** Changes that one agent may have to read before it is cut. */
  readonly pendingMax: number;
}

const tlsDirectory = '/etc/contrail/tls';

/** @throws ContrailError INVALID_ARGUMENT with every problem of the environment. */
export function loadConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  return readConfig(env, (reader) => {
    const listen = reader.address('LISTEN_ADDRESS', '0.0.0.0:9003');
    return {
      listenAddress: listen.host.includes(':') ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`,
      adminAddress: reader.address('ADMIN_ADDRESS', '0.0.0.0:9103'),
      configApiAddress: reader.string('CONFIG_API_ADDRESS'),
      tls: {
        certFile: reader.string('TLS_CERT_FILE', `${tlsDirectory}/tls.crt`),
        keyFile: reader.string('TLS_KEY_FILE', `${tlsDirectory}/tls.key`),
        caFile: reader.string('TLS_CA_FILE', `${tlsDirectory}/ca.crt`),
      },
      settings: {
        ...readCluster(reader),
        essentialServices: reader.list('ESSENTIAL_SERVICES', ['default/kubernetes', 'kube-system/kube-dns']),
      },
      pendingMax: reader.integer('AGENT_PENDING_MAX', { default: 50_000, min: 1_000 }),
    };
  });
}

/** By whole names: a project may well have a network of its own whose last part is that of the cluster's. */
function readCluster(reader: EnvReader): Pick<CompileSettings, 'clusterName' | 'clusterPodNetwork' | 'clusterServiceNetwork'> {
  const clusterName = reader.string('CLUSTER_NAME', 'k8s');
  const shared = parseSharedProject(reader.optionalString('CLUSTER_PROJECT') ?? '');
  if ('problem' in shared) reader.problems.push(`CLUSTER_PROJECT ${shared.problem}`);
  const project = projectName(clusterName, 'default', 'name' in shared ? shared.name : '');
  const home = [reader.string('KUBERNETES_CLUSTER_DOMAIN', 'default-domain'), project];
  return {
    clusterName,
    clusterPodNetwork: [...home, podNetworkName(clusterName)].join(':'),
    clusterServiceNetwork: [...home, serviceNetworkName(clusterName)].join(':'),
  };
}
