import type { Label } from '@contrail/proto-gen/control/v1/messages';
import { addressSpaceNumber } from './address-space';
import { checkedNumber } from './checked';
import type { UnitRows } from './unit-rows';

/** The highest bit of a VNI marks answers: VNI_ANSWER of bpf/layout.h. */
const labelMax = 2 ** 23 - 1;

/** One label serves both ways: the receiver maps it to {vrf, identity}, the sender the reverse. */
export function labelRows(entry: Label): UnitRows {
  const label = checkedNumber('label.label', entry.label, { min: 1, max: labelMax });
  const { vrf, identity, senderVrf } = entry;
  const senderSpace = addressSpaceNumber(entry.senderAddressSpace);
  return {
    labelsIn: [[label, { vrf, identity, senderVrf, senderSpace }]],
    labelsOut: [[{ vrf, identity }, label]],
  };
}
