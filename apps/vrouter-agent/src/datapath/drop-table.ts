import type { KernelMap } from './bpf/kernel-map';
import { dropReasonName } from './drop-reasons';
import { dropCountStruct, dropKeyStruct } from './layout/flow-structs';
import type { DropCount } from './port';

/** Drop counters: one slot for each CPU, added up here. */
export function readDrops(map: KernelMap): DropCount[] {
  const counts: DropCount[] = [];
  for (const entry of map.entries()) {
    const { reason, vrf } = dropKeyStruct.decode(entry.key);
    let packets = 0n;
    let bytes = 0n;
    for (let at = 0; at < entry.value.length; at += dropCountStruct.size) {
      const slot = dropCountStruct.decode(entry.value, at);
      packets += slot.packets;
      bytes += slot.bytes;
    }
    counts.push({ reason, reasonName: dropReasonName(reason), vrf, packets, bytes });
  }
  return counts.sort((a, b) => a.reason - b.reason || a.vrf - b.vrf);
}

/** Forgets what was counted for VRFs that are gone; 0 is no VRF and stays. */
export function pruneDrops(map: KernelMap, vrfs: ReadonlySet<number>): void {
  for (const { key } of [...map.entries()]) {
    const { vrf } = dropKeyStruct.decode(key);
    if (vrf !== 0 && !vrfs.has(vrf)) {
      map.remove(key);
    }
  }
}
