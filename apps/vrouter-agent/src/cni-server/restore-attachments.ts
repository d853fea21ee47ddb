import { logger } from '@contrail/telemetry';
import type { CniContext } from './cni-context';
import { describe, detach } from './detach';

const log = logger('cni');

/**
 * At start: tells the state which interfaces exist. Attachments whose device is gone (a reboot) are
 * dropped. A device that no attachment names is deleted when it has no VMI yet (a crash in the middle
 * of ADD); one with a VMI carries a pod whose file is lost, and goes on.
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
  for (const { name, ifindex, vmiUuid } of found.values()) {
    if (known.has(name)) continue;
    if (vmiUuid === undefined || vmiUuid === '') {
      log.warn('device without attachment deleted', { device: name });
      devices.deletePodInterface(name);
    } else if (!context.state.desired.device(vmiUuid)) {
      log.warn('attachment of a device is lost', { device: name, vmi: vmiUuid });
      context.state.setDevice(vmiUuid, { ifindex, mtu: 0, hostPorts: [] });
    }
  }
}
