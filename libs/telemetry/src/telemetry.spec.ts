import { counter, currentTraceparent, startAdminServer, startTelemetry, withSpan, withSpansSync } from './index';

describe('tracing', () => {
  const telemetry = startTelemetry('test', {});
  afterAll(() => telemetry.stop());

  it('has no traceparent outside a span', () => {
    expect(currentTraceparent()).toBe('');
  });

  it('continues the given trace, also across awaits, and nests', async () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await withSpan('outer', { traceparent: parent }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const outer = currentTraceparent();
      expect(outer).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
      expect(outer).not.toBe(parent);
      withSpansSync('inner', [{}], () => {
        expect(currentTraceparent().split('-')[1]).toBe(outer.split('-')[1]);
        expect(currentTraceparent()).not.toBe(outer);
      });
    });
  });

  it('passes errors on', async () => {
    await expect(withSpan('bad', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('admin server', () => {
  it('serves metrics and reports problems as text', async () => {
    counter('contrail_test_things_total', 'things').inc(3);
    const problems: string[] = [];
    const admin = await startAdminServer({ address: { host: '127.0.0.1', port: 0 }, live: () => [], ready: () => problems });
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${admin.port}${path}`);
    expect(await (await get('/metrics')).text()).toContain('contrail_test_things_total 3');
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    problems.push('store: not reachable');
    const unready = await get('/readyz');
    expect([unready.status, await unready.text()]).toEqual([503, 'store: not reachable\n']);
    expect((await get('/other')).status).toBe(404);
    await admin.stop();
  });
});
