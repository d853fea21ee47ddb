import { logger } from '@contrail/telemetry';
import type { Attachment } from './attachment-store';
import { hostInterfaceName } from './attachment-store';
import type { CniContext } from './cni-context';
import type { AttachmentName } from './cni-request';

const log = logger('cni');
const leavingMax = 1000;

/**
 * Undoes an attachment; every step succeeds when there is nothing to undo. The maps are closed
 * before this returns, the device goes in the background.
 */
export function detach(context: CniContext, name: AttachmentName): void {
  const attachment = context.attachments.find(name);
  const device = attachment?.hostInterface ?? hostInterfaceName(name);
  if (attachment) context.state.removeDevice(attachment.vmiUuid);
  else closeUnknown(context, device);
  if (attachment) noteLeaving(context.leaving, device);
  context.datapath.devices.deletePodInterface(device);
  context.attachments.remove(name);
  if (attachment) log.info('interface detached', describe(attachment));
}

/** The file of the attachment is lost, or ADD ended before it wrote one. */
function closeUnknown({ datapath, state }: CniContext, device: string): void {
  const ifindex = datapath.devices.findPodInterface(device);
  if (ifindex !== undefined) state.removeUnknownDevice(ifindex);
}

function noteLeaving(leaving: Set<string>, device: string): void {
  leaving.add(device);
  const [oldest] = leaving;
  if (leaving.size > leavingMax && oldest !== undefined) leaving.delete(oldest);
}

export function describe(attachment: Attachment): Record<string, string> {
  const { containerId, ifname, pod, vmiUuid, hostInterface } = attachment;
  return { containerId, ifname, pod, vmi: vmiUuid, device: hostInterface };
}
