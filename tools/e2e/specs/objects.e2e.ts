import { apply, eventually, kubectl, kubectlJson, netexecPod, temporaryNamespace } from '../src/cluster';
import { restClient } from '../src/rest-client';
import type { RestClient } from '../src/rest-client';

type Members = Readonly<Record<string, unknown>>;

/** An object as the REST API shows it in a detailed list. */
interface Shown extends Members {
  readonly uuid: string;
  readonly fq_name: readonly string[];
}

/** What one Kubernetes object becomes: a Contrail object of a type, with this name and these references. */
interface Expected {
  readonly type: string;
  readonly name: RegExp;
  /** Of a child of the namespace's project; else it has no parent. */
  readonly inProject?: boolean;
  /** Field of references to the last name of what it refers to. */
  readonly refs?: Readonly<Record<string, RegExp>>;
  readonly annotations?: Readonly<Record<string, string | RegExp>>;
}

interface Row {
  readonly kind: string;
  /** undefined: the namespace itself. */
  readonly manifest?: (namespace: string) => unknown;
  readonly expected: readonly Expected[];
}

const uid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const web = 'web';
const webPod = (namespace: string): unknown => netexecPod(web, namespace);
const webService = (namespace: string): unknown => ({
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: web, namespace } },
  spec: { selector: { app: web }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
});

/** Every row of the object mapping that is built; a service has a member because the pod of the row before is there. */
const rows: readonly Row[] = [
  {
    kind: 'Namespace',
    expected: [
      {
        ...{ type: 'project', name: /^k8s-NS$/, refs: { application_policy_set_refs: /^default-application-policy-set$/ } },
        annotations: { namespace: 'NS' },
      },
      { type: 'security-group', name: /^k8s-NS-default-sg$/, inProject: true },
    ],
  },
  {
    kind: 'Pod',
    manifest: webPod,
    expected: [
      { type: 'virtual-machine', name: /^k8s__NS__web$/ },
      {
        ...{ type: 'virtual-machine-interface', name: new RegExp(`^web__${uid}$`), inProject: true },
        refs: {
          virtual_machine_refs: /^k8s__NS__web$/,
          virtual_network_refs: /^k8s-default-pod-network$/,
          security_group_refs: /^k8s-NS-default-sg$/,
        },
      },
      {
        ...{ type: 'instance-ip', name: new RegExp(`^web__${uid}$`) },
        refs: { virtual_network_refs: /^k8s-default-pod-network$/, virtual_machine_interface_refs: /^web__/ },
      },
    ],
  },
  {
    kind: 'Service',
    manifest: webService,
    expected: [
      {
        ...{ type: 'loadbalancer', name: new RegExp(`^web__${uid}$`), inProject: true },
        refs: { virtual_machine_interface_refs: /^k8s__Service__web__/, service_appliance_set_refs: /^native$/ },
      },
      {
        ...{ type: 'virtual-machine-interface', name: new RegExp(`^k8s__Service__web__${uid}$`), inProject: true },
        refs: { virtual_network_refs: /^k8s-default-service-network$/ },
      },
      {
        ...{ type: 'instance-ip', name: new RegExp(`^web__${uid}$`) },
        refs: { virtual_network_refs: /^k8s-default-service-network$/, virtual_machine_interface_refs: /^k8s__Service__web__/ },
      },
      {
        ...{ type: 'loadbalancer-listener', name: new RegExp(`^web__${uid}-TCP-80-${uid}$`), inProject: true },
        ...{ refs: { loadbalancer_refs: /^web__/ }, annotations: { portName: 'http' } },
      },
      {
        ...{ type: 'loadbalancer-pool', name: new RegExp(`^web__${uid}-TCP-80-${uid}$`), inProject: true },
        refs: { loadbalancer_listener_refs: /-TCP-80-/ },
      },
      { type: 'loadbalancer-member', name: /./, annotations: { vm: new RegExp(`^${uid}$`), vmi: new RegExp(`^${uid}$`) } },
    ],
  },
];

let api: RestClient;
let namespace: { readonly name: string; remove(): Promise<void> };

beforeAll(async () => {
  api = await restClient('admin');
  namespace = await temporaryNamespace('objects');
}, 120_000);

/** Everything of a type that says that it is for this Kubernetes object. */
async function found(type: string, kind: string, name: string): Promise<Shown[]> {
  const { body } = await api.call('GET', `/${type}s?detail=True`);
  const items = (body as Record<string, Record<string, Shown>[]>)[`${type}s`] ?? [];
  return items
    .map((item) => item[type])
    .filter((item): item is Shown => item !== undefined)
    .filter((item) => {
      const said = annotationsOf(item);
      const isOurs = kind === 'Namespace' ? said['name'] === namespace.name : said['namespace'] === namespace.name && said['name'] === name;
      return said['kind'] === kind && isOurs;
    });
}

function annotationsOf(object: Members): Readonly<Record<string, string>> {
  const { key_value_pair: pairs = [] } = (object['annotations'] ?? {}) as { key_value_pair?: { key: string; value: string }[] };
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function withNamespace(pattern: string | RegExp): RegExp {
  const source = typeof pattern === 'string' ? `^${pattern}$` : pattern.source;
  return new RegExp(source.replaceAll('NS', namespace.name));
}

/** What differs from what is expected; empty when nothing does. */
function differences(object: Shown, wanted: Expected, kubeUid: string): string[] {
  const problems: string[] = [];
  const check = (what: string, text: string | undefined, pattern: string | RegExp): void => {
    if (text === undefined || !withNamespace(pattern).test(text)) problems.push(`${what} is ${text ?? 'absent'}, not ${String(pattern)}`);
  };
  check('name', object.fq_name.at(-1), wanted.name);
  if (wanted.inProject === true) check('project', object.fq_name[1], /^k8s-NS$/);
  for (const [field, name] of Object.entries(wanted.refs ?? {})) {
    const refs = (object[field] ?? []) as readonly { to: readonly string[] }[];
    check(field, refs[0]?.to.at(-1), name);
  }
  const all = { k8s_uuid: kubeUid, cluster: 'k8s', owner: 'k8s', ...wanted.annotations };
  for (const [key, value] of Object.entries(all)) check(`annotation ${key}`, annotationsOf(object)[key], value);
  return problems;
}

/** The object of the type that is as expected. @throws Error with what differs in each. */
async function matching(row: Row, wanted: Expected, kubeUid: string): Promise<Shown> {
  return await eventually(`${row.kind}: ${wanted.type} ${wanted.name.source}`, async () => {
    const objects = await found(wanted.type, row.kind, web);
    const fitting = objects.find((object) => differences(object, wanted, kubeUid).length === 0);
    if (fitting !== undefined) return fitting;
    throw new Error(objects.map((object) => differences(object, wanted, kubeUid).join(', ')).join('; ') || 'there is none');
  });
}

const uidOf = async (words: readonly string[]): Promise<string> =>
  (await kubectlJson<{ metadata: { uid: string } }>(['get', ...words])).metadata.uid;

describe.each(rows.map((row) => [row.kind, row] as const))('a %s', (kind, row) => {
  it('becomes the Contrail objects of its row, with names, references and annotations', async () => {
    if (row.manifest !== undefined) await apply([row.manifest(namespace.name)]);
    const words = kind === 'Namespace' ? ['namespace', namespace.name] : ['-n', namespace.name, kind.toLowerCase(), web];
    const kubeUid = await uidOf(words);
    for (const wanted of row.expected) expect((await matching(row, wanted, kubeUid)).uuid).toMatch(new RegExp(uid));
  }, 180_000);
});

describe.each([...rows].reverse().map((row) => [row.kind, row] as const))('a %s that is deleted', (kind, row) => {
  it('leaves nothing behind', async () => {
    if (row.manifest === undefined) await namespace.remove();
    else await kubectl(['-n', namespace.name, 'delete', kind.toLowerCase(), web, '--wait=false']);
    for (const { type } of row.expected)
      await eventually(`no ${type} of the ${kind}`, async () => {
        const left = await found(type, kind, web);
        if (left.length === 0) return true;
        throw new Error(`left: ${left.map(({ fq_name: name }) => name.join(':')).join(', ')}`);
      }, 120_000);
  }, 300_000);
});

it('knows every Node as a VirtualRouter', async () => {
  const { items } = await kubectlJson<{ items: { metadata: { name: string; uid: string } }[] }>(['get', 'nodes']);
  const { body } = await api.call('GET', '/virtual-routers?detail=True');
  const routers = (body as { 'virtual-routers': { 'virtual-router': Shown }[] })['virtual-routers'].map((item) => item['virtual-router']);
  for (const { metadata } of items) {
    const router = routers.find(({ fq_name: name }) => name.join(':') === `default-global-system-config:${metadata.name}`);
    expect(router && annotationsOf(router)).toMatchObject({ kind: 'Node', name: metadata.name, k8s_uuid: metadata.uid });
    expect(router?.['virtual_router_ip_address']).toMatch(/^\d+\./);
  }
});
