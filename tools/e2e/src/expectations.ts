import { eventually } from './cluster';
import { verifyCluster } from './contrailctl';
import type { Traffic } from './traffic';

const recoveryMs = 180_000;

/** Since the last look nothing broke and nothing was refused, and there was enough traffic to say so. */
export async function expectUnbroken(traffic: Traffic): Promise<void> {
  const { failures, starved, counts } = await traffic.take();
  expect({ failures: failures.length, first: failures.slice(0, 5) }).toEqual({ failures: 0, first: [] });
  if (starved.length > 0) process.stderr.write(`${starved.length} connections timed out while an end had no CPU\n`);
  for (const target of ['same-node', 'other-node', 'cluster-ip']) {
    expect(counts[target]?.good ?? 0).toBeGreaterThan(traffic.perSecond);
    expect(counts[target]?.streamBytes ?? 0).toBeGreaterThan(10_000);
  }
}

/** `contrailctl verify` finds nothing, once what is being cleaned up is gone. */
export async function expectNothingLeftOver(): Promise<void> {
  const report = await eventually(
    'a cluster without drift',
    async () => {
      const found = await verifyCluster();
      if (found.status !== 0) throw new Error(JSON.stringify([...found.notChecked, ...found.drifts.slice(0, 5)]));
      return found;
    },
    recoveryMs,
  );
  expect(report.drifts).toEqual([]);
}
