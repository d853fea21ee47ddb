import { logger } from '@contrail/telemetry';
import type { CniContext } from './cni-context';
import { describe, detach } from './detach';

const log = logger('cni');

/**
 * At start: tells the state which interfaces exist. Attachments whose device is gone (a reboot) are
 * dropped; devices of ours that no attachment names (a crash in the middle of ADD) are deleted.
 */
export function restoreAttachments(context: CniContext): void {
  const { devices } = context.datapath;
  const found = new Map(devices.listPodInterfaces().map((device) => [device.name, device]));
  const known = new Set<string>();
  for (const attachment of context.attachments.all()) {
    const device = found.get(attachment.hostInterface);
    if (device) {
      known.add(device.name);
      const { mtu, hostPorts } = attachment;
      context.state.setDevice(attachment.vmiUuid, { ifindex: device.ifindex, mtu, hostPorts });
    } else {
      log.warn('device of an attachment is gone', describe(attachment));
      detach(context, attachment);
    }
  }
  for (const name of found.keys()) {
    if (known.has(name)) continue;
    log.warn('device without attachment deleted', { device: name });
    devices.deletePodInterface(name);
  }
}
