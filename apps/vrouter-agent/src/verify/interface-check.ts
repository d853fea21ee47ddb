import { existsSync } from 'node:fs';
import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { addressEquals, formatAddress, formatMac } from '@contrail/net';
import { logger } from '@contrail/telemetry';
import { createDevice, podInterfaceRequest } from '../cni-server/add-interface';
import type { Attachment } from '../cni-server/attachment-store';
import { nameText } from '../cni-server/attachment-store';
import type { CniContext } from '../cni-server/cni-context';
import { missingSourceRoutes, sourceRouteText } from '../cni-server/source-route-text';
import type { InsideInterface, NodeDevice, PodInterfaceRequest } from '../datapath/port';
import { absent } from './drift';
import type { Check, Drift, Found, Pause } from './drift';

const log = logger('verify');

/** MAC of the node's end of every pair. */
const gatewayMac = Uint8Array.of(0x00, 0x00, 0x5e, 0x00, 0x01, 0x00);

/** Both ends of each pod's pair: there, up, MAC, MTU, addresses, default route. */
export class InterfaceCheck implements Check {
  readonly kind = 'interface';
  readonly settles = true;
  readonly #context: CniContext;

  constructor(context: CniContext) {
    this.#context = context;
  }

  async find(pause: Pause): Promise<Found> {
    const drifts: Drift[] = [];
    const subjects = this.#subjects();
    for (const { attachment, vmi } of subjects) {
      drifts.push(...this.#driftsOf(attachment, vmi));
      await pause();
    }
    return { count: subjects.length, drifts };
  }

  /** A pair that is gone is made again, with the code of ADD; others get what they lack. */
  mend(drifts: readonly Drift[]): void {
    const devices = new Set(drifts.map(({ object }) => object.split(' ')[0]));
    for (const { attachment, vmi } of this.#subjects()) {
      if (!devices.has(attachment.hostInterface)) continue;
      try {
        this.#mendPair(attachment, vmi);
      } catch (error) {
        log.error('interface of a pod not mended', { device: attachment.hostInterface, pod: attachment.pod, error });
      }
    }
  }

  #mendPair(attachment: Attachment, vmi: Interface): void {
    const { devices } = this.#context.datapath;
    if (devices.inspectDevice(attachment.hostInterface)) devices.mendPodInterface(podInterfaceRequest(attachment, vmi));
    else createDevice(this.#context, attachment, vmi);
  }

  /** Complete attachments whose interface control still wants and whose container still exists. */
  #subjects(): Array<{ attachment: Attachment; vmi: Interface }> {
    const { attachments, adding, state } = this.#context;
    return attachments.all().flatMap((attachment) => {
      const vmi = state.desired.entries.findInterface(attachment.vmiUuid);
      const isComplete = !adding.has(nameText(attachment)) && existsSync(attachment.netns);
      return vmi && isComplete ? [{ attachment, vmi }] : [];
    });
  }

  #driftsOf(attachment: Attachment, vmi: Interface): Drift[] {
    const { devices } = this.#context.datapath;
    const { hostInterface, netns, ifname, pod } = attachment;
    const request = podInterfaceRequest(attachment, vmi);
    const device = devices.inspectDevice(hostInterface);
    const inside = device && devices.inspectPodInterface(netns, ifname);
    const parts = [
      { end: 'on the node', expected: nodeEnd(request.mtu, gatewayMac, true), found: device && nodeEnd(device.mtu, device.mac, device.up) },
      { end: 'in the pod', expected: podEnd(request), found: inside && podEnd(asRequested(request, inside)) },
    ];
    return parts.flatMap(({ end, expected, found }): Drift[] => {
      if (found === expected) return [];
      const object = `${hostInterface} ${end}${pod === '' ? '' : ` (${pod})`}`;
      return [{ kind: 'interface', object, expected, found: found ?? absent, remedy: 'the agent configures the pair again' }];
    });
  }
}

function nodeEnd(mtu: NodeDevice['mtu'], mac: Uint8Array, up: boolean): string {
  return `mac ${formatMac(mac)} mtu ${mtu} ${up ? 'up' : 'down'}`;
}

type PodEnd = Pick<PodInterfaceRequest, 'mac' | 'mtu' | 'addresses' | 'gatewayV4' | 'gatewayV6' | 'sourceRoutes'> & { readonly up?: boolean };

function podEnd({ mac, mtu, addresses, gatewayV4, gatewayV6, sourceRoutes, up = true }: PodEnd): string {
  const gateways = [gatewayV4, gatewayV6].flatMap((gateway) => (gateway ? [formatAddress(gateway)] : []));
  const texts = [...addresses].map(formatAddress).sort();
  const sources = sourceRoutes.length > 0 ? ` sources ${sourceRoutes.map(sourceRouteText).sort().join(',')}` : '';
  return `mac ${formatMac(mac)} mtu ${mtu} ${up ? 'up' : 'down'} addresses ${texts.join(',') || '-'} gateways ${gateways.join(',') || '-'}${sources}`;
}

/** What is there of what was asked for: a pod may add addresses and routes of its own. */
function asRequested(request: PodInterfaceRequest, inside: InsideInterface): PodEnd {
  const has = (list: readonly Uint8Array[], wanted: Uint8Array | undefined): boolean =>
    wanted !== undefined && list.some((each) => addressEquals(each, wanted));
  return {
    mac: inside.mac,
    mtu: inside.mtu,
    up: inside.up,
    addresses: request.addresses.filter((address) => has(inside.addresses, address)),
    gatewayV4: has(inside.gateways, request.gatewayV4) ? request.gatewayV4 : undefined,
    gatewayV6: has(inside.gateways, request.gatewayV6) ? request.gatewayV6 : undefined,
    sourceRoutes: request.sourceRoutes.filter((wanted) => !missingSourceRoutes([wanted], inside).length),
  };
}
