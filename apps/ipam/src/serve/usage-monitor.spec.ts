import { NetworkIpam } from '@contrail/proto-gen/config/v1/resources';
import { subnetsOfIpam } from '../translate/network-subnets';
import { UsageMonitor } from './usage-monitor';
import type { FillingSubnets } from './usage-monitor';

const subnets = subnetsOfIpam(
  NetworkIpam.fromPartial({
    meta: { fqName: ['d', 'p', 'pods'] },
    ipamSubnetMethod: 'flat-subnet',
    // 10 addresses can be given.
    ipamSubnets: {
      subnets: [
        {
          subnetUuid: 's',
          subnet: { ipPrefix: '192.0.2.0', ipPrefixLen: 24 },
          allocationPools: [{ start: '192.0.2.1', end: '192.0.2.10' }],
        },
      ],
    },
  }),
);

it('announces a subnet when it rises above the threshold, once, and again after it fell well below', async () => {
  let allocated = 0;
  const heard: FillingSubnets[] = [];
  const monitor = new UsageMonitor({
    pool: { usage: () => Promise.resolve([{ allocated, quarantined: 1 }]) },
    cache: { subnets: () => subnets },
    warningRatio: 0.8,
    onFilling: (filling) => heard.push(filling),
  });
  const risen: number[] = [];
  for (allocated of [7, 8, 9, 10, 7, 8]) {
    await monitor.measure();
    risen.push(heard.at(-1)?.risen.length ?? 0);
  }
  expect(risen).toEqual([0, 1, 0, 0, 0, 1]);
  expect(heard.map(({ all }) => all.length)).toEqual([0, 1, 1, 1, 0, 1]);
  expect(heard[1]?.all[0]).toMatchObject({
    ...{ prefix: '192.0.2.0/24', owner: 'NetworkIpam/d:p:pods' },
    ...{ capacity: 10n, allocated: 8n, quarantined: 1n },
  });
});
