import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { kubectl, kubectlJson, nodeExec } from '../src/cluster';

const repository = path.resolve(__dirname, '../../..');

interface PodSummary {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly status: { readonly podIP?: string };
}

/** Names of the series in the queries of a dashboard. */
function seriesOf(dashboard: string): string[] {
  const queries = [...dashboard.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, query = '']) => query);
  const names = queries.flatMap((query) => query.match(/\b(contrail|nodejs|process)_[a-z0-9_]+/g) ?? []);
  return [...new Set(names)].sort();
}

describe('operations', () => {
  it('every metric on the dashboard is served by a running pod', async () => {
    const lists = await Promise.all(
      ['contrail', 'kube-system'].map((namespace) => kubectlJson<{ items: PodSummary[] }>(['-n', namespace, 'get', 'pods', '-l', 'app.kubernetes.io/part-of=contrail'])),
    );
    const served = new Set<string>();
    for (const { metadata, status } of lists.flatMap(({ items }) => items)) {
      const port = metadata.annotations?.['prometheus.io/port'];
      if (port === undefined || metadata.annotations?.['prometheus.io/scrape'] !== 'true') continue;
      const { stdout } = await nodeExec('control-plane', ['curl', '-s', '--max-time', '5', `http://${status.podIP ?? ''}:${port}/metrics`]);
      const names = [...stdout.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
      expect(`${metadata.name} serves ${names.length > 0 ? 'metrics' : 'none'}`).toBe(`${metadata.name} serves metrics`);
      for (const name of names) served.add(name);
    }
    // A histogram has series of its own for buckets, sum and count.
    const isServed = (name: string): boolean => served.has(name) || served.has(name.replace(/_(bucket|sum|count)$/, ''));
    const wanted = seriesOf(readFileSync(path.join(repository, 'k8s/grafana/contrail.json'), 'utf8'));
    expect(wanted).toContain('contrail_kube_manager_event_to_write_seconds_bucket');
    expect(wanted.filter((name) => !isServed(name))).toEqual([]);
  });

  it('the production overlay is accepted by the API server', async () => {
    const manifests = await kubectl(['kustomize', path.join(repository, 'k8s/overlays/production')]);
    expect(manifests).toContain('registry.example.com/contrail/config-api:v0.1.0');
    // Under names of their own: the workloads that run would otherwise keep fields of the sandbox's overlay.
    const objects = parseAllDocuments(manifests).map((document) => document.toJS() as { kind: string; metadata: { name: string } });
    const isWorkload = (kind: string): boolean => ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind);
    const renamed = objects.map((object) =>
      isWorkload(object.kind) ? { ...object, metadata: { ...object.metadata, name: `${object.metadata.name}-e2e` } } : object,
    );
    const said = await kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=e2e', '--dry-run=server', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: renamed }),
    );
    expect(said.trim().split('\n')).toHaveLength(objects.length);
    expect(said).toContain('statefulset.apps/redis-e2e serverside-applied (server dry run)');
  });
});
