import { agnhost, apply, eventually, kubectl, kubectlJson, nodeAddresses, temporaryNamespace } from '../src/cluster';
import { verifyCluster } from '../src/contrailctl';
import { seededRandom, sized } from '../src/seeded';

/** Pods that live at one time; 110 fit on a node. */
const aliveMax = sized('CHURN_ALIVE', 12);
const total = sized('CHURN_PODS', 40);
const seed = sized('CHURN_SEED', 20_260_901);

jest.setTimeout(1_800_000);

/** Tables in which a pod has rows of its own. */
const podTables = ['vifs', 'sources', 'hostRoutes', 'composites', 'backends', 'services'] as const;

describe('churn', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('churn');
  });
  afterAll(() => ns.remove());

  it(`${total} pods created and deleted in random order (seed ${seed}) leave nothing behind`, async () => {
    const before = await eventually('a quiet cluster', async () => {
      const report = await verifyCluster();
      if (report.status !== 0) throw new Error(JSON.stringify(report.drifts.slice(0, 5)));
      return (await isLeaving()) ? undefined : await podRows();
    }, 120_000);
    await churn(ns.name);
    await kubectl(['-n', ns.name, 'delete', 'pods', '--all', '--grace-period=0', '--wait=true']);
    const report = await eventually('a cluster without leftovers', async () => {
      const found = await verifyCluster();
      if (found.status !== 0) throw new Error(JSON.stringify([...found.notChecked, ...found.drifts.slice(0, 5)]));
      return found;
    }, 180_000);
    expect(report.drifts).toEqual([]);
    expect(report.checked['object']).toBeGreaterThan(0);
    expect(await podRows()).toEqual(before);
  });
});

/** Creates and deletes by the dice, waiting for nobody in between; deletions hit pods in every state. */
async function churn(namespace: string): Promise<void> {
  const random = seededRandom(seed);
  const alive: string[] = [];
  for (let created = 0; created < total || alive.length > 0; ) {
    const room = Math.min(aliveMax - alive.length, total - created);
    if (room > 0 && (alive.length === 0 || random() < 0.6)) {
      const names = Array.from({ length: 1 + Math.floor(random() * Math.min(room, 4)) }, () => `pod-${(created += 1)}`);
      await apply(names.map((name) => pausePod(name, namespace)));
      alive.push(...names);
    } else {
      const [name = ''] = alive.splice(Math.floor(random() * alive.length), 1);
      await kubectl(['-n', namespace, 'delete', 'pod', name, '--grace-period=0', '--wait=false']);
    }
  }
}

function pausePod(name: string, namespace: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { churn: name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: agnhost, imagePullPolicy: 'IfNotPresent', args: ['pause'] }],
    },
  };
}

/** Do pods of other tests still go away? */
async function isLeaving(): Promise<boolean> {
  const { items } = await kubectlJson<{ items: Array<{ metadata: { deletionTimestamp?: string } }> }>(['get', 'pods,namespaces', '-A']);
  return items.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
}

/** Rows of each node's tables, as its agent's metrics count them, and attached interfaces. */
async function podRows(): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const [node, address] of await nodeAddresses()) {
    const text = await (await fetch(`http://${address}:9106/metrics`)).text();
    for (const table of podTables) rows[`${node} ${table}`] = valueOf(text, `contrail_vrouter_agent_table_entries{table="${table}"}`);
    rows[`${node} interfaces`] = valueOf(text, 'contrail_vrouter_agent_interfaces');
  }
  return rows;
}

function valueOf(text: string, metric: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${metric} `));
  if (line === undefined) throw new Error(`there is no metric ${metric}`);
  return Number(line.slice(metric.length + 1));
}
