import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeKubeApi } from '../testing/fake-kube-api';
import { inClusterConnection, kubeconfigConnection } from './kube-connection';
import { KubeClient } from './kube-client';
import { kubeKinds, kubePath } from './kube-kind';
import { readLines } from './kube-transport';

describe('kubePath', () => {
  it.each([
    ['/api/v1/pods', kubePath(kubeKinds.pods)],
    ['/api/v1/namespaces/blue/pods/web/status', kubePath(kubeKinds.pods, { namespace: 'blue', name: 'web', subresource: 'status' })],
    ['/api/v1/namespaces/kube-system', kubePath(kubeKinds.namespaces, { name: 'kube-system' })],
    ['/apis/discovery.k8s.io/v1/endpointslices', kubePath(kubeKinds.endpointSlices)],
  ])('%s', (expected, path) => expect(path).toBe(expected));
});

describe('KubeClient', () => {
  let api: FakeKubeApi;
  let client: KubeClient;
  const blue = { namespace: 'blue', name: 'web' };

  beforeEach(async () => {
    api = await FakeKubeApi.start();
    client = new KubeClient(api.connection);
  });
  afterEach(async () => {
    client.close();
    await api.stop();
  });

  it('creates, reads, patches, replaces, lists and deletes', async () => {
    const made = await client.create(kubeKinds.pods, { metadata: { ...blue, labels: { a: '1' } } });
    expect(made.metadata?.uid).toBeDefined();
    await client.patch(kubeKinds.pods, blue, { metadata: { labels: { a: null, b: '2' } } });
    const read = await client.get(kubeKinds.pods, blue);
    expect(read.metadata?.labels).toEqual({ b: '2' });
    await client.update(kubeKinds.pods, { ...read, metadata: { ...read.metadata, labels: {} } });
    const list = await client.list(kubeKinds.pods, { namespace: 'blue', limit: 10 });
    expect(list.items.map((item) => item.metadata?.name)).toEqual(['web']);
    expect(list.continueToken).toBe('');
    await client.delete(kubeKinds.pods, blue);
    await client.delete(kubeKinds.pods, blue);
    expect(api.list(kubeKinds.pods)).toEqual([]);
  });

  it.each<[number, string]>([
    [400, 'INVALID_ARGUMENT'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [409, 'ABORTED'],
    [410, 'OUT_OF_RANGE'],
    [429, 'RESOURCE_EXHAUSTED'],
    [500, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
  ])('HTTP %d is %s and names the object', async (status, code) => {
    api.faults.statuses = [status];
    await expect(client.get(kubeKinds.pods, blue)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^GET Pod/blue/web: Kubernetes answered ${status} Injected`)),
    });
  });

  it('tells an existing object from a moved version', async () => {
    const first = await client.create(kubeKinds.pods, { metadata: blue });
    await expect(client.create(kubeKinds.pods, { metadata: blue })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await client.update(kubeKinds.pods, first);
    await expect(client.update(kubeKinds.pods, first)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('gives up at the deadline', async () => {
    const slow = new KubeClient({ ...api.connection, host: '192.0.2.1' });
    await expect(slow.get(kubeKinds.pods, blue, { deadlineMs: 30 })).rejects.toMatchObject({
      message: expect.stringContaining('Pod/blue/web'),
    });
    slow.close();
  });

  it('says so when nobody listens', async () => {
    const { connection } = api;
    await api.stop();
    const lonely = new KubeClient(connection);
    await expect(lonely.get(kubeKinds.pods, blue)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    lonely.close();
    api = await FakeKubeApi.start();
  });
});

describe('connections', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kube-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('reads the ServiceAccount token again after a minute', () => {
    let nowMs = 0;
    const tokenFile = file('token', 'one\n');
    const connection = inClusterConnection({
      host: '192.0.2.1',
      port: 6443,
      tokenFile,
      caFile: file('ca.crt', 'CA'),
      now: () => nowMs,
    });
    expect(connection.credentials()).toEqual({ token: 'one', ca: 'CA' });
    file('token', 'two\n');
    nowMs = 59_999;
    expect(connection.credentials().token).toBe('one');
    nowMs = 60_000;
    expect(connection.credentials().token).toBe('two');
  });

  it('takes the current context of a kubeconfig, inline data and files', () => {
    file('client.key', 'KEY');
    const config = file(
      'config',
      `current-context: main
contexts: [{name: main, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://[2001:db8::1]:6443", certificate-authority-data: ${Buffer.from('CA').toString('base64')}}}]
users: [{name: u, user: {client-certificate-data: ${Buffer.from('CERT').toString('base64')}, client-key: client.key}}]
`,
    );
    const connection = kubeconfigConnection(config);
    expect(connection).toMatchObject({ protocol: 'https:', host: '2001:db8::1', port: 6443 });
    expect(connection.credentials()).toEqual({ ca: 'CA', token: undefined, certificate: 'CERT', key: 'KEY' });
  });

  it.each([
    ['has no current-context', '{}'],
    ['context "x" does not exist', 'current-context: x'],
    ['needs a server', 'current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]'],
  ])('refuses a kubeconfig: %s', (message, text) => {
    expect(() => kubeconfigConnection(file('config', text))).toThrow(message);
  });
});

describe('readLines', () => {
  async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
    for (const part of parts) yield await Promise.resolve(Buffer.from(part));
  }
  const lines = async (max: number, ...parts: (string | Buffer)[]): Promise<string[]> => {
    const result: string[] = [];
    for await (const line of readLines(chunks(...parts), max)) result.push(line);
    return result;
  };

  it('joins lines over chunks, skips empty ones and drops an unfinished end', async () => {
    const umlaut = Buffer.from('ü');
    const parts = ['a', 'b\nc\n\nd', umlaut.subarray(0, 1), umlaut.subarray(1), '\nrest'];
    expect(await lines(100, ...parts)).toEqual(['ab', 'c', 'dü']);
  });

  it('refuses a line that is too long', async () => {
    await expect(lines(5, 'abc', 'def')).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  });
});
