import { apiServiceAddress } from './address-plan';
import {
  createAuthority,
  createSigningKey,
  issueCertificate,
  writeKubeconfig,
  type KeyPair,
} from './pki';
import type { Sandbox } from './sandbox';

/** Every key of the Kubernetes cluster itself. */
export interface ClusterPki {
  readonly authority: KeyPair;
  /** An authority of its own: the API server refuses one that also signs clients. */
  readonly frontProxyAuthority: KeyPair;
  readonly frontProxyClient: KeyPair;
  readonly apiServer: KeyPair;
  readonly kubeletClient: KeyPair;
  readonly serviceAccounts: { readonly publicKey: string; readonly key: string };
  /** Serving certificate of each node's kubelet, by node name. */
  readonly kubelets: ReadonlyMap<string, KeyPair>;
}

/** Path of a component's kubeconfig: `admin`, `kube-scheduler`, `node1`… */
export function kubeconfigOf(sandbox: Sandbox, component: string): string {
  return sandbox.file('kubeconfig', `${component}.conf`);
}

/** Makes all keys, certificates and kubeconfigs of a new cluster. */
export async function createClusterPki(sandbox: Sandbox): Promise<ClusterPki> {
  const base = (name: string): string => sandbox.file('pki', name);
  const { controlPlane, nodes } = sandbox.plan;
  const [authority, frontProxyAuthority, serviceAccounts] = await Promise.all([
    createAuthority(base('ca'), 'kubernetes'),
    createAuthority(base('front-proxy-ca'), 'front-proxy'),
    createSigningKey(base('service-accounts')),
  ]);
  const issue = (
    name: string,
    commonName: string,
    names: string[] = [],
    organization?: string,
  ): Promise<KeyPair> =>
    issueCertificate(authority, {
      base: base(name),
      commonName,
      ...(names.length > 0 ? { names } : {}),
      ...(organization === undefined ? {} : { organization }),
    });
  const user = async (name: string, commonName: string, organization?: string): Promise<void> => {
    const client = await issue(`client-${name}`, commonName, [], organization);
    const server = `https://${controlPlane.address}:6443`;
    await writeKubeconfig(kubeconfigOf(sandbox, name), {
      server,
      authority,
      client,
      user: commonName,
    });
  };
  const serviceNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'localhost'];
  const apiServerNames = [
    ...[...serviceNames, 'kubernetes.default.svc.cluster.local'].map((name) => `DNS:${name}`),
    ...[controlPlane.address, apiServiceAddress, '127.0.0.1'].map((address) => `IP:${address}`),
  ];
  const [frontProxyClient, apiServer, kubeletClient] = await Promise.all([
    issueCertificate(frontProxyAuthority, {
      base: base('front-proxy-client'),
      commonName: 'front-proxy-client',
    }),
    issue('apiserver', 'kube-apiserver', apiServerNames),
    issue('apiserver-kubelet-client', 'kube-apiserver-kubelet-client', [], 'system:masters'),
    user('admin', 'sandbox-admin', 'system:masters'),
    user('kube-controller-manager', 'system:kube-controller-manager'),
    user('kube-scheduler', 'system:kube-scheduler'),
    user('kube-proxy', 'system:kube-proxy'),
  ]);
  const kubelets = new Map<string, KeyPair>();
  await Promise.all(
    nodes.map(async (node) => {
      await user(node.name, `system:node:${node.name}`, 'system:nodes');
      const names = [`DNS:${node.name}`, `IP:${node.address}`, 'IP:127.0.0.1'];
      kubelets.set(
        node.name,
        await issue(`kubelet-${node.name}`, `system:node:${node.name}`, names, 'system:nodes'),
      );
    }),
  );
  return {
    authority,
    frontProxyAuthority,
    frontProxyClient,
    apiServer,
    kubeletClient,
    serviceAccounts,
    kubelets,
  };
}
