import { kubectl, sandbox } from '../src/cluster';
import { expectNothingLeftOver, expectUnbroken } from '../src/expectations';
import { containersOf } from '../src/kill';
import { sized } from '../src/seeded';
import { startTraffic } from '../src/traffic';
import type { Traffic } from '../src/traffic';

/** Fault 5 of the list in docs/testing.md: an agent image with another map layout and back, under traffic. */
jest.setTimeout(600_000);

describe('roll-out of agents', () => {
  let traffic: Traffic;

  beforeAll(async () => {
    traffic = await startTraffic(sized('FAULT_PER_SECOND', 50));
  });
  afterAll(() => traffic.remove());

  it.each([
    ['with a grown flow record', '-DTEST_LAYOUT_GROWN'],
    ['as it was', ''],
  ])('an image %s: every agent is new, nothing broke, nothing is left over', async (_what, flags) => {
    await traffic.take();
    const before = new Set((await containersOf('vrouter-agent')).map(({ pod }) => pod));
    const deployed = await sandbox(['deploy'], { env: { CONTRAIL_BPF_FLAGS: flags }, timeoutMs: 420_000 });
    expect({ status: deployed.status, said: deployed.status === 0 ? '' : deployed.stderr }).toEqual({ status: 0, said: '' });
    await kubectl(['-n', 'contrail', 'rollout', 'status', 'daemonset/vrouter-agent', '--timeout=110s']);
    expect((await containersOf('vrouter-agent')).filter(({ pod }) => before.has(pod))).toEqual([]);
    await expectUnbroken(traffic);
    await expectNothingLeftOver();
  });
});
