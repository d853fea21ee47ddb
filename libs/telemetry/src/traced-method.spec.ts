import { createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { currentTraceparent, startTelemetry, tracedMethod, withSpan } from './index';
import { SpanContextManager } from './span-context-manager';

const trace = '0af7651916cd43dd8448eb211c80319c';
const sampled = `00-${trace}-b7ad6b7169203331-01`;
const unsampled = `00-${trace}-b7ad6b7169203331-00`;

describe('spans of a gRPC method', () => {
  const telemetry = startTelemetry('test', { ratio: 1 });
  const method = tracedMethod('/contrail.config.v1.ConfigService/Get');
  afterAll(() => telemetry.stop());

  it('a call of a recorded trace has a span of its own in it', () => {
    const { traceparent, end } = method.serve(sampled);
    expect(traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    expect(traceparent).not.toBe(sampled);
    end({ code: 5, message: 'no such object' });
  });

  it('a call of a trace that nobody records passes its name on', () => {
    const call = method.serve(unsampled);
    expect(call.traceparent).toBe(unsampled);
    call.end();
  });

  it.each([
    ['nothing', ''],
    ['no traceparent', 'hello'],
    ['too much', `${sampled}-x`],
    ['a line break', `${unsampled}\n`],
  ])('a client that sends %s begins a trace', (_what, sent) => {
    const { traceparent } = method.serve(sent);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceparent).not.toContain(trace);
  });

  it('a client continues the span in which it runs, recorded or not', async () => {
    await withSpan('reconcile', { traceparent: sampled }, () => {
      const { traceparent } = method.call();
      expect(traceparent.split('-')[1]).toBe(trace);
      expect(traceparent).not.toBe(currentTraceparent());
      return Promise.resolve();
    });
    await withSpan('reconcile', { traceparent: unsampled }, () => {
      expect(method.call().traceparent).toBe(currentTraceparent());
      expect(currentTraceparent()).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
      return Promise.resolve();
    });
  });
});

describe('contexts', () => {
  const manager = new SpanContextManager();
  const marked = ROOT_CONTEXT.setValue(createContextKey('marked'), true);

  it('without a span are not entered', () => {
    expect(manager.with(marked, () => manager.active())).toBe(ROOT_CONTEXT);
  });

  it('are passed to what is bound, with its arguments', () => {
    const sum = manager.bind(ROOT_CONTEXT, (a: number, b: number) => a + b);
    expect(sum(2, 3)).toBe(5);
    expect(manager.bind(ROOT_CONTEXT, 7)).toBe(7);
  });
});
