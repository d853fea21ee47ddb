/** One program of a group: the name of its file and its Go package. */
export interface Program {
  readonly binary: string;
  readonly package: string;
  /** A test binary, made by `go test -c`. */
  readonly isTest?: boolean;
}

/** Programs that are built and cached together, from one go.mod below tools/sandbox/go. */
export interface Group {
  readonly name: string;
  readonly version: string;
  /** Folder below tools/sandbox/go with go.mod and go.sum. */
  readonly module: string;
  readonly ldflags: string;
  readonly programs: readonly Program[];
  /** Files to take out of a module beside its programs: package folder, file names. */
  readonly files?: { readonly package: string; readonly names: readonly string[] };
}

const kubernetesVersion = '1.37.2';
const [kubernetesMajor = '', kubernetesMinor = ''] = kubernetesVersion.split('.');
const plain = '-s -w';

/** Without a version, skew checks refuse and e2e.test misbehaves. */
const kubernetesFlags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].reduce(
  (flags, package_) =>
    `${flags} -X ${package_}.gitVersion=v${kubernetesVersion}` +
    ` -X ${package_}.gitMajor=${kubernetesMajor}` +
    ` -X ${package_}.gitMinor=${kubernetesMinor} -X ${package_}.gitTreeState=clean`,
  plain,
);

const kubernetesCommands = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kubectl',
];

export const groupNames = [
  'kubernetes',
  'containerd',
  'cni',
  'agnhost',
  'jaeger',
  'e2e',
  'kube-proxy',
  'coredns',
] as const;
export type GroupName = (typeof groupNames)[number];

export const groups: Readonly<Record<GroupName, Group>> = {
  kubernetes: {
    name: 'kubernetes',
    version: kubernetesVersion,
    module: 'kubernetes',
    ldflags: kubernetesFlags,
    programs: [
      ...kubernetesCommands.map((name) => ({
        binary: name,
        package: `k8s.io/kubernetes/cmd/${name}`,
      })),
      { binary: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
    ],
  },
  'kube-proxy': {
    name: 'kube-proxy',
    version: kubernetesVersion,
    module: 'kubernetes',
    ldflags: kubernetesFlags,
    programs: [{ binary: 'kube-proxy', package: 'k8s.io/kubernetes/cmd/kube-proxy' }],
  },
  agnhost: {
    name: 'agnhost',
    version: kubernetesVersion,
    module: 'kubernetes',
    ldflags: kubernetesFlags,
    programs: [{ binary: 'agnhost', package: 'k8s.io/kubernetes/test/images/agnhost' }],
    // Proxy specs over https present this certificate.
    files: {
      package: 'k8s.io/kubernetes/test/images/agnhost/porter',
      names: ['localhost.crt', 'localhost.key'],
    },
  },
  e2e: {
    name: 'e2e',
    version: kubernetesVersion,
    module: 'kubernetes',
    ldflags: kubernetesFlags,
    programs: [{ binary: 'e2e.test', package: 'k8s.io/kubernetes/test/e2e', isTest: true }],
  },
  containerd: {
    name: 'containerd',
    version: '2.4.2',
    module: 'containerd',
    ldflags: `${plain} -X github.com/containerd/containerd/v2/version.Version=v2.4.2`,
    programs: ['containerd', 'ctr', 'containerd-shim-runc-v2'].map((name) => ({
      binary: name,
      package: `github.com/containerd/containerd/v2/cmd/${name}`,
    })),
  },
  cni: {
    name: 'cni',
    version: '1.9.1',
    module: 'cni',
    ldflags: plain,
    programs: [
      ...['main/bridge', 'main/loopback', 'ipam/host-local', 'meta/portmap'].map((plugin) => ({
        binary: plugin.split('/')[1] ?? plugin,
        package: `github.com/containernetworking/plugins/plugins/${plugin}`,
      })),
      { binary: 'cnitool', package: 'github.com/containernetworking/cni/cnitool' },
    ],
  },
  coredns: {
    name: 'coredns',
    version: '1.14.7',
    module: 'coredns',
    ldflags: plain,
    programs: [{ binary: 'coredns', package: 'github.com/coredns/coredns' }],
  },
  jaeger: {
    name: 'jaeger',
    version: '1.76.0',
    module: 'jaeger',
    ldflags: plain,
    programs: [
      { binary: 'jaeger-all-in-one', package: 'github.com/jaegertracing/jaeger/cmd/all-in-one' },
    ],
  },
};

/** What a cluster on our network needs before it starts. */
export const firstGroups = ['kubernetes', 'containerd', 'cni', 'agnhost'] as const;

/** @returns the group names among `words`; those of the first start when there are none. */
export function selectGroups(words: readonly string[]): GroupName[] | { readonly unknown: string } {
  if (words.length === 0) return [...firstGroups];
  const selected: GroupName[] = [];
  for (const word of words) {
    const name = groupNames.find((known) => known === word);
    if (name === undefined) return { unknown: word };
    selected.push(name);
  }
  return selected;
}
