import { apply, eventually, kubectl, netexecPod, nodeExec, podIp, temporaryNamespace, waitReady } from '../src/cluster';

/** Where Redis keeps its data on the control-plane node (k8s/overlays/sandbox/redis.yaml). */
const data = '/var/lib/contrail/redis';
const small = '/run/contrail/e2e-small-disk';

const onNode = async (command: string): Promise<string> => {
  const { status, stdout, stderr } = await nodeExec('control-plane', ['sh', '-ec', command]);
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return stdout.trim();
};
const scaleRedis = (replicas: number): Promise<string> => kubectl(['-n', 'contrail', 'scale', 'statefulset/redis', `--replicas=${replicas}`]);
const redisRuns = (): Promise<unknown> => kubectl(['-n', 'contrail', 'rollout', 'status', 'statefulset/redis', '--timeout=120s']);

/** Puts Redis on a disk of a few megabytes of its own; the machine's is never filled. */
async function moveToSmallDisk(): Promise<void> {
  await scaleRedis(0);
  await kubectl(['-n', 'contrail', 'wait', '--for=delete', 'pod/redis-0', '--timeout=60s']);
  await onNode(`
    mkdir -p ${small}
    size=$(( $(du -sm ${data} | cut -f1) + 16 ))
    mount -t tmpfs -o size=\${size}m,mode=0700,uid=65532,gid=65532 tmpfs ${small}
    cp -a ${data}/. ${small}/
    mount --bind ${small} ${data}`);
  await scaleRedis(1);
  await redisRuns();
}

async function moveBack(): Promise<void> {
  await scaleRedis(0);
  await kubectl(['-n', 'contrail', 'wait', '--for=delete', 'pod/redis-0', '--timeout=60s']);
  await onNode(`
    umount ${data}
    rm -rf ${data}/*
    cp -a ${small}/. ${data}/
    umount ${small}
    rmdir ${small}`);
  await scaleRedis(1);
  await redisRuns();
}

describe('a full disk at Redis', () => {
  let ns = { name: '', remove: () => Promise.resolve() };
  beforeAll(async () => {
    ns = await temporaryNamespace('disk');
    await apply([netexecPod('running', ns.name)]);
    await waitReady(ns.name, ['running']);
    await moveToSmallDisk();
  }, 300_000);
  afterAll(async () => {
    await moveBack();
    await ns.remove();
  }, 300_000);

  it('is named by config-api, traffic goes on, and everything recovers by itself', async () => {
    const address = await podIp(ns.name, 'running');
    // What fits not: the file grows until the disk is full, and then it is.
    await onNode(`dd if=/dev/zero of=${small}/ballast bs=64k 2>/dev/null || true`);
    await apply([netexecPod('during', ns.name)]);
    try {
      const words = /Redis rediss:.*(cannot write to its disk and refuses changes.*free space on the volume of Redis|it ends when its disk is full)/;
      await eventually('its cause in the log of config-api', async () => {
        const log = await kubectl(['-n', 'contrail', 'logs', 'deployment/config-api', '--since=60s']);
        return words.test(log) ? true : undefined;
      });
      for (let i = 0; i < 5; i += 1) {
        const got = await nodeExec('node1', ['curl', '-s', '--max-time', '4', `http://${address}:8080/hostname`]);
        expect(got.stdout).toBe('running');
      }
    } finally {
      await onNode(`rm -f ${small}/ballast`);
    }
    await waitReady(ns.name, ['during'], 180);
  }, 300_000);
});
