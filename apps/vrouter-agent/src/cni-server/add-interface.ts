import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError, errorText } from '@contrail/errors';
import { systemClock } from '@contrail/reconcile';
import { annotateSpan, logger } from '@contrail/telemetry';
import { hostInterfaceName } from './attachment-store';
import type { Attachment } from './attachment-store';
import type { PodInterfaceRequest } from '../datapath/port';
import type { CniContext } from './cni-context';
import { CniError, cniCodes } from './cni-error';
import type { CniRequest } from './cni-request';
import { toCniResult } from './cni-result';
import { describe, detach } from './detach';
import { findProgrammed, findWanted, subjectText, waitFor } from './interface-wait';
import { gatewayOf, ownFirst, sourceRoutesOf } from './pod-addressing';

const log = logger('cni');
const leavingPollMs = 10;

/**
 * ADD: waits for control's interface, makes the device, and answers when the datapath enforces the
 * interface's state. On failure nothing is left behind.
 *
 * @param signal aborted at the deadline, when the runtime is gone, or by a DEL of the same container.
 */
export async function addInterface(
  context: CniContext,
  request: CniRequest,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { containerId, ifname, subject } = request;
  refuseUnnamed(request);
  refuseRepeated(context, request);
  const vmi = await waitFor(context, { subject, signal }, () => findWanted(context, request));
  annotateSpan({ 'contrail.vmi': vmi.uuid });
  refuseRepeated(context, request);
  takeOver(context, vmi);
  if (subject.kind === 'pod' && request.config.bandwidth) context.events.bandwidthIgnored(subject);
  const attachment: Attachment = {
    containerId,
    ifname,
    network: request.config.name,
    netns: request.netns,
    vmiUuid: vmi.uuid,
    pod: vmi.podUid === '' ? '' : `${vmi.podNamespace}/${vmi.podName}`,
    hostInterface: hostInterfaceName(request),
    mtu: context.state.desired.local.podMtu,
    hostPorts: request.config.hostPorts,
  };
  try {
    context.attachments.put(attachment);
    await deviceGone(context, attachment.hostInterface, signal);
    refuseTakenOver(context, attachment);
    createDevice(context, attachment, vmi);
    await waitFor(context, { subject, signal }, () => findProgrammed(context, vmi.uuid));
    refuseTakenOver(context, attachment);
  } catch (error) {
    detach(context, request);
    throw toCniError(error, request);
  }
  log.info('interface attached', describe(attachment));
  const { hostInterface, mtu, netns } = attachment;
  return toCniResult({ cniVersion: request.config.cniVersion, vmi, ifname, netns, hostInterface, mtu });
}

/** A DEL just before deletes the device of the same name in the background. */
async function deviceGone(context: CniContext, hostInterface: string, signal: AbortSignal): Promise<void> {
  while (context.leaving.has(hostInterface)) {
    if (context.datapath.devices.findPodInterface(hostInterface) === undefined) {
      context.leaving.delete(hostInterface);
      return;
    }
    await systemClock.sleep(leavingPollMs, signal);
  }
}

/** What the pair of the attachment is like. */
export function podInterfaceRequest(attachment: Attachment, vmi: Interface): PodInterfaceRequest {
  return {
    netnsPath: attachment.netns,
    containerInterface: attachment.ifname,
    hostInterface: attachment.hostInterface,
    mac: vmi.mac,
    addresses: ownFirst(vmi.addresses).map(({ address }) => address),
    gatewayV4: gatewayOf(vmi, 4),
    gatewayV6: gatewayOf(vmi, 16),
    sourceRoutes: sourceRoutesOf(vmi),
    mtu: attachment.mtu,
  };
}

/**
 * Create, attach, up, so that no packet meets the device without its program; then tells the state.
 * @throws ContrailError and leaves nothing behind.
 */
export function createDevice(context: CniContext, attachment: Attachment, vmi: Interface): void {
  const { devices } = context.datapath;
  const { mtu, hostPorts } = attachment;
  const { hostIfindex } = devices.createPodInterface(podInterfaceRequest(attachment, vmi));
  context.datapath.attach(hostIfindex, 'pod');
  devices.activatePodInterface(hostIfindex, vmi.uuid);
  context.state.setDevice(vmi.uuid, { ifindex: hostIfindex, mtu, hostPorts });
}

function refuseUnnamed(request: CniRequest): void {
  if (request.subject.kind !== 'none') return;
  throw new CniError(
    cniCodes.nothingToAttach,
    'CNI_ARGS names neither a pod (K8S_POD_UID) nor an interface (CONTRAIL_VMI=<uuid of a VirtualMachineInterface>)',
  );
}

function refuseRepeated(context: CniContext, request: CniRequest): void {
  const existing = context.attachments.find(request);
  if (!existing) return;
  throw new CniError(
    cniCodes.alreadyAttached,
    `${subjectText(request.subject)}: container ${request.containerId} has ${request.ifname} already; DEL it first`,
    `VirtualMachineInterface ${existing.vmiUuid} on ${existing.hostInterface}`,
  );
}

/** A new sandbox of the same pod: its runtime has not called DEL for the old one yet. */
function takeOver(context: CniContext, vmi: Interface): void {
  const old = context.attachments.findByVmi(vmi.uuid);
  if (!old) return;
  log.warn('interface taken over from another container', describe(old));
  detach(context, old);
}

/** While this ADD waited, that of a newer sandbox took the interface: it must not be taken back. */
function refuseTakenOver(context: CniContext, attachment: Attachment): void {
  if (context.attachments.find(attachment) === attachment) return;
  throw new CniError(
    cniCodes.tryAgain,
    `container ${attachment.containerId}: another container took VirtualMachineInterface ${attachment.vmiUuid} over`,
  );
}

function toCniError(error: unknown, request: CniRequest): unknown {
  if (error instanceof CniError) return error;
  const subject = subjectText(request.subject);
  if (error instanceof ContrailError && error.code === 'NOT_FOUND') {
    return new CniError(cniCodes.invalidEnvironment, `${subject}: CNI_NETNS ${request.netns} cannot be used`, errorText(error));
  }
  if (error instanceof ContrailError && error.code === 'ALREADY_EXISTS') {
    return new CniError(cniCodes.alreadyAttached, `${subject}: the container has an interface ${request.ifname} already`, errorText(error));
  }
  if (error instanceof ContrailError && error.code === 'DATA_LOSS') {
    return new CniError(cniCodes.io, `${subject}: ${error.message}`, errorText(error));
  }
  return new CniError(cniCodes.internal, `${subject}: ${request.ifname} could not be made`, errorText(error));
}
