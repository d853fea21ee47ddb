import { allowAll, compilePolicySet, policySetText } from '@contrail/policy';
import type { PolicySet, TableRule, Verdict } from '@contrail/policy';
import { Direction, Verdict as ProtoVerdict } from '@contrail/proto-gen/control/v1/messages';
import type { PolicyRule } from '@contrail/proto-gen/control/v1/messages';
import type { CompileContext, CompiledEntry } from './compile-context';
import { policyScope } from './scopes';
import type { UnitOf } from './unit';

/** Every set of policies that some interface has, by its text. For now each interface allows all. */
export const policySets: ReadonlyMap<string, PolicySet> = new Map([[policySetText(allowAll), allowAll]]);

/** Text of the set of policies that applies to an interface. */
export const policyOfInterfaces = policySetText(allowAll);

export function compilePolicyTable({ ids }: CompileContext, unit: UnitOf<'policy'>): CompiledEntry | undefined {
  const set = policySets.get(unit.text);
  const id = ids.get('policy', unit.text);
  if (set === undefined || id === undefined) return undefined;
  const table = compilePolicySet(set);
  const value = {
    id,
    name: table.name,
    rules: table.rules.map(toProtoRule),
    defaultIngress: toProtoVerdict(table.defaults.ingress.verdict),
    defaultEgress: toProtoVerdict(table.defaults.egress.verdict),
  };
  return { scope: policyScope(unit.text), entry: { kind: { $case: 'policy', value } } };
}

function toProtoRule(rule: TableRule): PolicyRule {
  return {
    direction: rule.direction === 'ingress' ? Direction.DIRECTION_INGRESS : Direction.DIRECTION_EGRESS,
    peerIdentity: rule.peerIdentity,
    protocol: rule.protocol,
    port: rule.ports.port,
    portPrefixLength: rule.ports.length,
    verdict: toProtoVerdict(rule.verdict),
    ruleId: rule.id,
    ruleName: rule.name,
  };
}

function toProtoVerdict(verdict: Verdict): ProtoVerdict {
  return verdict === 'pass' ? ProtoVerdict.VERDICT_PASS : ProtoVerdict.VERDICT_DENY;
}
