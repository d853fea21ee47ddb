import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import { podSubnet, serviceSubnet } from './address-plan';
import { getFromApi } from './api-client';
import { kubeconfigOf, type ClusterPki } from './cluster-pki';
import { SandboxFailure } from './failure';
import { enterNode, nodeGroup } from './node-namespace';
import { waitUntil } from './progress';
import { run } from './run';
import type { Sandbox } from './sandbox';

const readyTimeoutMs = 120_000;
const etcdUrl = 'http://127.0.0.1:2379';

/** Starts etcd and the API server in the control plane's namespace; {@link waitForApiServer} waits. */
export async function startApiServer(
  sandbox: Sandbox,
  pki: ClusterPki,
  binaries: string,
): Promise<void> {
  await startOnControlPlane(sandbox, binaries, 'etcd', await etcdFlags(sandbox));
  await startOnControlPlane(sandbox, binaries, 'kube-apiserver', apiServerFlags(sandbox, pki));
}

/**
 * Starts the controller manager and the scheduler; the API server answers already, so neither backs
 * off.
 */
export async function startControllers(
  sandbox: Sandbox,
  pki: ClusterPki,
  binaries: string,
): Promise<void> {
  await startOnControlPlane(
    sandbox,
    binaries,
    'kube-controller-manager',
    controllerManagerFlags(sandbox, pki),
  );
  await startOnControlPlane(sandbox, binaries, 'kube-scheduler', [
    ...clientFlags(kubeconfigOf(sandbox, 'kube-scheduler')),
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ]);
}

/** Ready means: serves everything, its start-up roles included. */
export async function isApiServerReady(sandbox: Sandbox): Promise<boolean> {
  return (await getFromApi(sandbox, '/readyz', 5000).catch(() => '')) === 'ok';
}

/** @throws SandboxFailure when the API server is not ready in time. */
export async function waitForApiServer(sandbox: Sandbox): Promise<void> {
  if (!(await waitUntil(() => isApiServerReady(sandbox), readyTimeoutMs, 50))) {
    const log = sandbox.processes.logFile('kube-apiserver');
    throw new SandboxFailure(
      `kube-apiserver: is not ready after ${readyTimeoutMs / 1000} s; see ${log}`,
    );
  }
}

/** The words of an administrator's kubectl. */
export function kubectl(
  sandbox: Sandbox,
  binaries: string,
  args: readonly string[],
): [string, string[]] {
  return [path.join(binaries, 'kubectl'), ['--kubeconfig', sandbox.adminKubeconfig, ...args]];
}

/** Applies objects, given as JSON values. */
export async function applyObjects(
  sandbox: Sandbox,
  binaries: string,
  objects: readonly object[],
): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  await run(
    ...kubectl(sandbox, binaries, ['apply', '--server-side', '--force-conflicts', '-f', '-']),
    {
      input: JSON.stringify(list),
    },
  );
}

async function startOnControlPlane(
  sandbox: Sandbox,
  binaries: string,
  component: string,
  flags: readonly string[],
): Promise<void> {
  const node = sandbox.plan.controlPlane;
  await sandbox.processes.launch({
    component,
    group: await nodeGroup(node),
    command: [...(await enterNode(sandbox, node)), path.join(binaries, component), ...flags],
  });
}

async function etcdFlags(sandbox: Sandbox): Promise<string[]> {
  const data = sandbox.file('etcd');
  await mkdir(data, { recursive: true, mode: 0o700 });
  return [
    '--name=sandbox',
    `--data-dir=${data}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--initial-advertise-peer-urls=http://127.0.0.1:2380',
    '--initial-cluster=sandbox=http://127.0.0.1:2380',
    // The data does not outlive the sandbox.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(sandbox: Sandbox, pki: ClusterPki): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--secure-port=6443',
    '--bind-address=0.0.0.0',
    `--advertise-address=${sandbox.plan.controlPlane.address}`,
    `--tls-cert-file=${pki.apiServer.certificate}`,
    `--tls-private-key-file=${pki.apiServer.key}`,
    `--client-ca-file=${pki.authority.certificate}`,
    `--service-account-key-file=${pki.serviceAccounts.publicKey}`,
    `--service-account-signing-key-file=${pki.serviceAccounts.key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${serviceSubnet}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--kubelet-certificate-authority=${pki.authority.certificate}`,
    `--kubelet-client-certificate=${pki.kubeletClient.certificate}`,
    `--kubelet-client-key=${pki.kubeletClient.key}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${pki.frontProxyAuthority.certificate}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki.frontProxyClient.certificate}`,
    `--proxy-client-key-file=${pki.frontProxyClient.key}`,
    '--enable-aggregator-routing=true',
    '--profiling=false',
  ];
}

function controllerManagerFlags(sandbox: Sandbox, pki: ClusterPki): string[] {
  const podCidrs = [
    '--allocate-node-cidrs',
    `--cluster-cidr=${podSubnet}`,
    '--node-cidr-mask-size=24',
  ];
  return [
    ...clientFlags(kubeconfigOf(sandbox, 'kube-controller-manager')),
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--use-service-account-credentials',
    `--root-ca-file=${pki.authority.certificate}`,
    `--service-account-private-key-file=${pki.serviceAccounts.key}`,
    `--cluster-signing-cert-file=${pki.authority.certificate}`,
    `--cluster-signing-key-file=${pki.authority.key}`,
    `--service-cluster-ip-range=${serviceSubnet}`,
    // Our own network allots addresses by itself.
    ...(sandbox.isOurs ? [] : podCidrs),
  ];
}

/** The defaults of 20 requests a second make a sandbox with hundreds of objects wait for itself. */
function clientFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
}
