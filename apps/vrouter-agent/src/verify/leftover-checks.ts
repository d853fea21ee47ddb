import { existsSync } from 'node:fs';
import { nameText } from '../cni-server/attachment-store';
import type { CniContext } from '../cni-server/cni-context';
import { detach } from '../cni-server/detach';
import { firstVrfZone } from '../datapath/port';
import { absent } from './drift';
import type { Check, Drift } from './drift';

const loopbackIfindex = 1;

/** Attachments of containers that are gone: the runtime has not called DEL and never will. */
export function attachmentCheck(context: CniContext): Check {
  const leftovers = () => context.attachments.all().filter((each) => !context.adding.has(nameText(each)) && !existsSync(each.netns));
  return {
    kind: 'attachment',
    settles: true,
    find: async () => ({
      count: context.attachments.all().length,
      drifts: leftovers().map((attachment): Drift => ({
        kind: 'attachment',
        object: `${nameText(attachment)}${attachment.pod === '' ? '' : ` (${attachment.pod})`}`,
        expected: absent,
        found: `device ${attachment.hostInterface} of netns ${attachment.netns}, which is gone`,
        remedy: 'the agent detaches it as DEL would',
      })),
    }),
    mend: (drifts) => {
      const names = new Set(drifts.map(({ object }) => object.split(' ')[0]));
      for (const attachment of leftovers()) if (names.has(nameText(attachment))) detach(context, attachment);
    },
  };
}

/** Devices of ours that no attachment and no interface of the state accounts for. */
export function leftoverDeviceCheck({ datapath, attachments, state }: CniContext): Check {
  const { devices } = datapath;
  return {
    kind: 'device',
    settles: true,
    find: async () => {
      const known = new Set(attachments.all().map(({ hostInterface }) => hostInterface));
      const all = devices.listPodInterfaces();
      const extra = all.filter(({ name, ifindex, vmiUuid }) => {
        const carriesPod = vmiUuid !== undefined && state.desired.device(vmiUuid)?.ifindex === ifindex;
        return !known.has(name) && !carriesPod;
      });
      const drifts = extra.map(({ name, ifindex }): Drift => ({
        kind: 'device',
        object: name,
        expected: absent,
        found: `ifindex ${ifindex}`,
        remedy: 'the agent deletes the device',
      }));
      return { count: all.length, drifts };
    },
    mend: (drifts) => {
      for (const { object } of drifts) devices.deletePodInterface(object);
    },
  };
}

/** Flow records of interfaces that are gone. Reads the whole flow table, so only on demand. */
export function flowCheck({ datapath, state }: CniContext): Check {
  return {
    kind: 'flow',
    settles: true,
    find: async () => {
      const records = new Map<string, number>();
      let count = 0;
      for await (const batch of datapath.flows()) {
        const atInterfaces = batch.filter(({ zone }) => zone < firstVrfZone);
        for (const { zone, vlan } of atInterfaces) records.set(zoneText(zone, vlan), (records.get(zoneText(zone, vlan)) ?? 0) + 1);
        count += batch.length;
      }
      const { uplinkIfindex } = state.desired.local;
      for (const zone of [loopbackIfindex, uplinkIfindex]) records.delete(zoneText(zone, 0));
      for (const [{ ifindex, vlan }] of state.tables.vifs.rows()) records.delete(zoneText(ifindex, vlan));
      const drifts = [...records].map(([object, number]): Drift => ({
        kind: 'flow',
        object,
        expected: absent,
        found: `${number} flow records`,
        remedy: 'the agent ends the flows of the interface',
      }));
      return { count, drifts };
    },
    mend: (drifts) => {
      for (const { object } of drifts) {
        const [, zone = '', , vlan = ''] = object.split(' ');
        datapath.removeFlows(Number(zone), Number(vlan));
      }
    },
  };
}

function zoneText(ifindex: number, vlan: number): string {
  return `zone ${ifindex} vlan ${vlan}`;
}
