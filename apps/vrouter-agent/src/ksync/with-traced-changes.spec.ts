import { currentTraceparent, startTelemetry } from '@contrail/telemetry';
import { withTracedChanges } from './with-traced-changes';

const telemetry = startTelemetry('vrouter-agent-test', { endpoint: undefined });
afterAll(() => telemetry.stop());

const traceId = (n: number): string => n.toString(16).padStart(32, '0');
const change = (n: number) => ({ traceparent: `00-${traceId(n)}-00000000000000ab-01`, type: 'route', uuid: 'u', revision: BigInt(n) });

describe('withTracedChanges', () => {
  it.each([0, 1, 1000, 20_000])('runs the program once for %d changes, inside their traces', (count) => {
    const seen: string[] = [];
    const changes = Array.from({ length: count }, (_, i) => change(i + 1));
    withTracedChanges({ node: 'node1', entries: 3, changes }, () => seen.push(currentTraceparent()));
    expect(seen).toHaveLength(1);
    expect(seen[0]?.split('-')[1]).toBe(count === 0 ? undefined : traceId(count));
  });

  it('passes a failure on', () => {
    const fail = (): void => {
      throw new Error('map is gone');
    };
    expect(() => withTracedChanges({ node: 'node1', entries: 1, changes: [change(1)] }, fail)).toThrow('map is gone');
  });
});
