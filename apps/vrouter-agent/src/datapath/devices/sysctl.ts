import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ContrailError, errorText } from '@contrail/errors';

const folder = '/proc/sys/net';

/** A kernel setting below /proc/sys/net, in the node's own network namespace. */
export function readSysctl(name: string): string {
  return readFileSync(`${folder}/${name}`, 'utf8').trim();
}

/** Writes only what differs. @throws ContrailError FAILED_PRECONDITION naming the setting. */
export function writeSysctl(name: string, value: string): void {
  try {
    if (readSysctl(name) !== value) {
      writeFileSync(`${folder}/${name}`, value);
    }
  } catch (cause) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Sysctl net/${name}: cannot be set to ${value} (${
        errorText(cause)
      }); the agent needs to run privileged`,
      { cause },
    );
  }
}

/** As `writeSysctl` for a device that was just made: it has not been set before. */
export function setNewSysctl(name: string, value: string): void {
  try {
    writeFileSync(`${folder}/${name}`, value);
  } catch (cause) {
    throw new ContrailError('FAILED_PRECONDITION', `Sysctl net/${name}: cannot be set to ${value} (${errorText(cause)}); the agent needs to run privileged`, {
      cause,
    });
  }
}

/** The device takes part in no IPv6 of its own: the datapath routes what pods send. */
export function disableIpv6(device: string, write: (name: string, value: string) => void = writeSysctl): void {
  try {
    write(`ipv6/conf/${device}/disable_ipv6`, '1');
  } catch {
    // A kernel without IPv6 has nothing to disable.
  }
}

/**
 * Packets of pods arrive on devices that no route leads back to, so those devices must not filter by
 * reverse path. The kernel uses the greater of "all" and the device's own value: what "all" says is
 * moved to every existing and future device, then "all" is cleared. Nobody else loses protection.
 */
export function releaseReversePathFilter(): void {
  const all = readSysctl('ipv4/conf/all/rp_filter');
  if (all === '0') {
    return;
  }
  for (const device of readdirSync(`${folder}/ipv4/conf`)) {
    const name = `ipv4/conf/${device}/rp_filter`;
    if (device !== 'all' && Number(readSysctl(name)) < Number(all)) {
      writeSysctl(name, all);
    }
  }
  writeSysctl('ipv4/conf/all/rp_filter', '0');
}

/**
 * Answers to the node itself arrive at the uplink with a service address as source, to which the route
 * is vhost0: a strict filter there would drop them. Loose still refuses sources without any route.
 */
export function loosenReversePathFilter(uplink: string): void {
  const name = `ipv4/conf/${uplink}/rp_filter`;
  if (readSysctl(name) === '1') writeSysctl(name, '2');
}
