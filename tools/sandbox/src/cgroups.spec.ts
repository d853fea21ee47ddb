import { daemonGroup, isPureV2, parseHierarchies, trackingHierarchy } from './cgroups';

const hybrid = `22 26 0:20 / /sys rw,relatime shared:7 - sysfs sysfs rw
30 29 0:26 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
32 29 0:28 / /sys/fs/cgroup/cpuset rw,nosuid shared:11 - cgroup cgroup rw,cpuset
33 29 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:12 - cgroup cgroup rw,cpu,cpuacct
34 29 0:30 / /sys/fs/cgroup/pids rw,nosuid shared:13 - cgroup cgroup rw,pids
35 29 0:31 / /sys/fs/cgroup/systemd rw,nosuid - cgroup systemd rw,xattr,name=systemd`;
const unified = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate';

describe('cgroup hierarchies', () => {
  it('are read from mountinfo with their controllers', () => {
    expect(parseHierarchies(hybrid)).toEqual([
      { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] },
      { mountPoint: '/sys/fs/cgroup/cpuset', version: 1, controllers: ['cpuset'] },
      { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['cpu', 'cpuacct'] },
      { mountPoint: '/sys/fs/cgroup/pids', version: 1, controllers: ['pids'] },
      { mountPoint: '/sys/fs/cgroup/systemd', version: 1, controllers: [] },
    ]);
  });

  it.each([
    ['hybrid', hybrid, false, '/sys/fs/cgroup/pids/blue-node1/daemons'],
    ['unified', unified, true, '/sys/fs/cgroup/blue-node1/daemons'],
  ])('%s: processes are tracked where they stay', (_kind, text, isPure, group) => {
    const hierarchies = parseHierarchies(text);
    expect(isPureV2(hierarchies)).toBe(isPure);
    expect(daemonGroup(trackingHierarchy(hierarchies), 'blue-node1')).toBe(group);
  });

  it('says so when there is none', () => {
    expect(() => trackingHierarchy([])).toThrow('/proc/self/mountinfo');
  });
});
