/** Programs at clsact hooks, by netlink through libbpf: 0.03 ms each, replaced atomically. */
import { ContrailError } from '@contrail/errors';
import { errno, libbpf } from './libbpf';

export type Direction = 'ingress' | 'egress';

/** Ours is the first filter of a hook; others may come after it. */
const priority = 1;
const handle = 1;
const replaceFlag = 1;

/** struct bpf_tc_hook */
function hookOf(ifindex: number, direction: Direction | 'both'): Buffer {
  const hook = Buffer.alloc(24);
  hook.writeBigUInt64LE(24n, 0);
  hook.writeInt32LE(ifindex, 8);
  hook.writeUInt32LE({ ingress: 1, egress: 2, both: 3 }[direction], 12);
  return hook;
}

/** struct bpf_tc_opts; `programFd` 0 names the filter only. */
function filterOptions(programFd: number): Buffer {
  const options = Buffer.alloc(40);
  options.writeBigUInt64LE(40n, 0);
  options.writeInt32LE(programFd, 8);
  options.writeUInt32LE(programFd === 0 ? 0 : replaceFlag, 12);
  options.writeUInt32LE(handle, 20);
  options.writeUInt32LE(priority, 24);
  return options;
}

/** @throws ContrailError NOT_FOUND when the device does not exist. */
export function attachClassifier(ifindex: number, direction: Direction, programFd: number): void {
  const lib = libbpf();
  const created = lib.createHook(hookOf(ifindex, 'both'));
  const result = created < 0 && created !== -errno.EEXIST
    ? created
    : lib.attachClassifier(hookOf(ifindex, direction), filterOptions(programFd));
  if (result < 0) {
    const isGone = result === -errno.ENODEV || result === -errno.EINVAL;
    throw new ContrailError(
      isGone ? 'NOT_FOUND' : 'INTERNAL',
      `Device/ifindex ${ifindex}: no program can be attached at ${direction} (errno ${-result})`,
    );
  }
}

/** Id of the program at our place of the hook; undefined when there is none, or no device. */
export function queryClassifier(ifindex: number, direction: Direction): number | undefined {
  const options = filterOptions(0);
  const result = libbpf().queryClassifier(hookOf(ifindex, direction), options);
  if (result === 0) return options.readUInt32LE(16);
  if ([errno.ENOENT, errno.EINVAL, errno.ENODEV].some((code) => result === -code)) return undefined;
  throw new ContrailError('INTERNAL', `Device/ifindex ${ifindex}: its ${direction} programs cannot be read (errno ${-result})`);
}

/** Detaching what is not attached, or from a device that is gone, succeeds. */
export function detachClassifier(ifindex: number, direction: Direction): void {
  const result = libbpf().detachClassifier(hookOf(ifindex, direction), filterOptions(0));
  const isAbsent = [errno.ENOENT, errno.EINVAL, errno.ENODEV].some((code) => result === -code);
  if (result < 0 && !isAbsent) {
    throw new ContrailError(
      'INTERNAL',
      `Device/ifindex ${ifindex}: the program at ${direction} cannot be detached (errno ${-result})`,
    );
  }
}
