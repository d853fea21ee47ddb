import { mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { clusterDnsAddress, type NodePlan } from './address-plan';
import { isPureV2, readHierarchies } from './cgroups';
import { kubeconfigOf, type ClusterPki } from './cluster-pki';
import { enterNode, nodeGroup } from './node-namespace';
import type { Sandbox } from './sandbox';

/** Starts a node's kubelet; it registers the node by itself. */
export async function startKubelet(
  sandbox: Sandbox,
  node: NodePlan,
  pki: ClusterPki,
  binaries: string,
): Promise<void> {
  const config = sandbox.nodeFile(node, 'kubelet.json');
  const manifests = sandbox.nodeFile(node, 'manifests');
  const resolver = sandbox.file('resolv.conf');
  await mkdir(manifests, { recursive: true });
  // Nothing listens there, so that a name of the world is refused at once instead of after a
  // timeout.
  await writeFile(resolver, `nameserver ${sandbox.plan.outside.address}\n`);
  const isV2 = isPureV2(await readHierarchies());
  const content = kubeletConfig(sandbox, node, pki, { manifests, resolver, isV2 });
  await writeFile(config, JSON.stringify(content, undefined, 2));
  await sandbox.processes.launch({
    component: `${node.name}/kubelet`,
    group: await nodeGroup(node),
    command: [
      ...(await enterNode(sandbox, node)),
      path.join(binaries, 'kubelet'),
      `--config=${config}`,
      `--kubeconfig=${kubeconfigOf(sandbox, node.name)}`,
      `--hostname-override=${node.name}`,
      `--node-ip=${node.address}`,
    ],
  });
}

function kubeletConfig(
  sandbox: Sandbox,
  node: NodePlan,
  pki: ClusterPki,
  machine: { readonly manifests: string; readonly resolver: string; readonly isV2: boolean },
): object {
  const serving = pki.kubelets.get(node.name);
  const taint = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    staticPodPath: machine.manifests,
    tlsCertFile: serving?.certificate,
    tlsPrivateKeyFile: serving?.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pki.authority.certificate },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [clusterDnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: machine.resolver,
    registerWithTaints: node.isControlPlane ? [taint] : [],
    // Two kubelets on one root would delete each other's pods.
    cgroupRoot: `/${node.cgroup}`,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    ...(machine.isV2 ? {} : { failCgroupV1: false }),
    // Root may lack CAP_SYS_RESOURCE, and the machine's limit of open files is its own.
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    failSwapOn: false,
    maxPods: 250,
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    imageGCHighThresholdPercent: 100,
    // Once an image was missing and asked for, kubelet would not trust a later import of it.
    imagePullCredentialsVerificationPolicy: 'NeverVerify',
    imageGCLowThresholdPercent: 99,
    imageMinimumGCAge: '24h',
    nodeStatusUpdateFrequency: '4s',
    syncFrequency: '10s',
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    serializeImagePulls: false,
    shutdownGracePeriod: '0s',
    volumePluginDir: '/var/lib/kubelet/volume-plugins',
    makeIPTablesUtilChains: !sandbox.isOurs,
  };
}
