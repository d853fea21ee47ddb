import { errorText } from '@contrail/errors';
import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { addressEquals, formatAddress, formatMac, tryParseAddress } from '@contrail/net';
import type { Devices } from '../datapath/port';
import type { CniContext } from './cni-context';
import { CniError, cniCodes } from './cni-error';
import type { CniRequest } from './cni-request';
import { findProgrammed } from './interface-wait';
import { sourceRoutesOf } from './pod-addressing';
import { missingSourceRoutes, sourceRouteText } from './source-route-text';

type Inspected = NonNullable<ReturnType<Devices['inspectPodInterface']>>;

/** CHECK: everything that ADD made is there and enforced. @throws CniError naming all that is not. */
export function checkInterface(context: CniContext, request: CniRequest): void {
  const { containerId, ifname, netns } = request;
  const attachment = context.attachments.find(request);
  if (!attachment) {
    throw new CniError(cniCodes.unknownContainer, `container ${containerId} has no ${ifname} of this network`);
  }
  const problems = deviceProblems(context, request, context.state.desired.entries.findInterface(attachment.vmiUuid));
  const programmed = findProgrammed(context, attachment.vmiUuid);
  // Before the first InSync the datapath has what it had: nothing can be said against it.
  if (context.state.inSync && 'missing' in programmed) problems.push(programmed.missing);
  if (problems.length === 0) return;
  throw new CniError(cniCodes.checkFailed, `${ifname} in ${netns}: ${problems.join('; ')}`, `container ${containerId}`);
}

/** @param vmi undefined while control has not named it. */
function deviceProblems(context: CniContext, request: CniRequest, vmi: Interface | undefined): string[] {
  const found = inspect(context, request);
  if (typeof found === 'string') return [found];
  const problems: string[] = [];
  const prevResult = request.config.prevResult;
  for (const { address: text } of prevResult?.ips ?? []) {
    const wanted = tryParseAddress(text.replace(/\/.*$/, ''));
    if (!wanted) problems.push(`prevResult address "${text}" is no address`);
    else if (!found.addresses.some((address) => addressEquals(address, wanted))) {
      problems.push(`address ${formatAddress(wanted)} is missing`);
    }
  }
  const mac = prevResult?.interfaces.find(({ name, sandbox }) => name === request.ifname && sandbox)?.mac;
  if (mac !== undefined && mac.toLowerCase() !== formatMac(found.mac)) {
    problems.push(`MAC is ${formatMac(found.mac)}, not ${mac}`);
  }
  for (const route of vmi ? missingSourceRoutes(sourceRoutesOf(vmi), found) : []) {
    problems.push(`route ${sourceRouteText(route)} is missing`);
  }
  if (!context.datapath.vifs.get({ ifindex: found.peerIfindex, vlan: 0 })) {
    problems.push('the vRouter has no Vif for it');
  }
  return problems;
}

/** What is inside the container, or why that cannot be seen. */
function inspect({ datapath }: CniContext, { netns, ifname }: CniRequest): Inspected | string {
  try {
    return datapath.devices.inspectPodInterface(netns, ifname) ?? 'the interface does not exist';
  } catch (error) {
    return errorText(error);
  }
}
