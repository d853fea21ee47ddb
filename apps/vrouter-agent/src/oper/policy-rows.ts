import { Direction, Verdict } from '@contrail/proto-gen/control/v1/messages';
import type { PolicyRule, PolicyTable } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError } from '@contrail/errors';
import { checkedNumber } from './checked';
import type { PolicyDirection, PolicyKey, PolicyValue } from '../datapath/port';
import type { UnitRows } from './unit-rows';

/** Rules and the two default verdicts (peer, protocol and port 0) of one policy table. */
export function policyRows(table: PolicyTable): UnitRows {
  const rules = table.rules.map((rule) => ruleRow(table.id, rule));
  return {
    policies: [
      ...rules,
      defaultRow(table.id, 'ingress', table.defaultIngress),
      defaultRow(table.id, 'egress', table.defaultEgress),
    ],
  };
}

function ruleRow(policy: number, rule: PolicyRule): readonly [PolicyKey, PolicyValue] {
  const portLength = checkedNumber('rule.port_prefix_length', rule.portPrefixLength, { min: 0, max: 16 });
  const port = checkedNumber('rule.port', rule.port, { min: 0, max: 65535 });
  const mask = portLength === 0 ? 0 : (0xffff << (16 - portLength)) & 0xffff;
  if ((port & ~mask) !== 0) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `rule ${rule.ruleId}: port ${port} has bits outside its length ${portLength}`,
    );
  }
  return [
    {
      policy,
      direction: directionOf(rule),
      peerIdentity: rule.peerIdentity,
      protocol: checkedNumber('rule.protocol', rule.protocol, { min: 0, max: 255 }),
      port,
      portLength,
    },
    { verdict: verdictOf(rule.verdict), rule: rule.ruleId },
  ];
}

function defaultRow(
  policy: number,
  direction: 'ingress' | 'egress',
  verdict: Verdict,
): readonly [PolicyKey, PolicyValue] {
  const key = { policy, direction, peerIdentity: 0, protocol: 0, port: 0, portLength: 0 };
  return [key, { verdict: verdictOf(verdict), rule: 0 }];
}

function directionOf(rule: PolicyRule): PolicyDirection {
  if (rule.direction === Direction.DIRECTION_INGRESS) return 'ingress';
  if (rule.direction === Direction.DIRECTION_EGRESS_TO_SERVICE) return 'egress-to-service';
  if (rule.direction === Direction.DIRECTION_EGRESS) return 'egress';
  throw new ContrailError('INVALID_ARGUMENT', `rule ${rule.ruleId}: direction is not set`);
}

/** Whatever is not clearly "pass" denies. */
function verdictOf(verdict: Verdict): 'pass' | 'deny' {
  return verdict === Verdict.VERDICT_PASS ? 'pass' : 'deny';
}
