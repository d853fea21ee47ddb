import { allowAll } from '@contrail/policy';
import type { ConnectionRow, Direction as PolicyDirection, TableRule, Verdict } from '@contrail/policy';
import { ContrailError } from '@contrail/errors';
import { Direction, Verdict as ProtoVerdict } from '@contrail/proto-gen/control/v1/messages';
import type { PolicyRule } from '@contrail/proto-gen/control/v1/messages';
import { allowAllText } from '../topology/network';
import type { Network } from '../topology/network';
import type { OwnedPart } from '../topology/topology';
import type { CompileContext, CompiledEntry } from './compile-context';
import { policyScope } from './scopes';
import type { UnitOf } from './unit';

/** Rows in one table; more would crowd the policies of other interfaces out of the datapath. */
const rowsMax = 16_384;

/**
 * The verdicts of the interfaces with one identity. What no row names passes: that two networks may not talk at all is said
 * by the routes that they lack.
 *
 * Egress rows have what the policies of both networks say, exactly; ingress rows say it again, except for networks whose services
 * lead here: a receiver cannot tell who came through a service, and their senders are judged where they send. Connections through a
 * service pass egress, because the service is only where policies let the network call it.
 */
export function compilePolicyTable(context: CompileContext, unit: UnitOf<'policy'>): CompiledEntry | undefined {
  const id = context.ids.get('policy', unit.text);
  const owner = context.topology.byPolicy(unit.text);
  if (id === undefined || (owner === undefined && unit.text !== allowAllText)) return undefined;
  // Nobody has the verdicts of a network without interfaces.
  if (owner?.network.isPopulated === false && unit.text !== allowAllText) return undefined;
  const rules = owner === undefined || unit.text === allowAllText ? [] : limitRules(context, owner);
  const value = {
    id,
    name: unit.text,
    rules: [...rules.map(toProtoRule), ...(rules.length === 0 ? [] : [toServices])],
    defaultIngress: toProtoVerdict(allowAll.defaultVerdict.ingress),
    defaultEgress: toProtoVerdict(allowAll.defaultVerdict.egress),
  };
  return { scope: policyScope(unit.text), entry: { kind: { $case: 'policy', value } } };
}

function limitRules(context: CompileContext, { network, part }: OwnedPart): TableRule[] {
  const rules: Omit<TableRule, 'id'>[] = [];
  for (const [uuid, limit] of [...network.limits].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const peer = context.topology.networks.get(uuid);
    if (peer === undefined || !peer.isPopulated) continue;
    const directions = isJudgedHere(context, peer, network) ? (['egress', 'ingress'] as const) : (['egress'] as const);
    for (const direction of directions) {
      for (const { own, peer: prefix, rows } of limit[direction]) {
        if (own !== part.prefix) continue;
        rules.push(...toRules(rows, direction, identityOf(context, peer, prefix)));
      }
    }
  }
  if (rules.length > rowsMax) {
    throw new ContrailError(
      'RESOURCE_EXHAUSTED',
      `VirtualNetwork ${network.name}: its policies need ${rules.length} verdicts, but a table has ${rowsMax}; use fewer rules or wider port ranges`,
    );
  }
  return rules.map((rule, i) => ({ ...rule, id: i + 1 }));
}

/** Nodes reach everything; of who calls a service of another network, the sender's node has judged. */
function isJudgedHere({ reach }: CompileContext, from: Network, to: Network): boolean {
  return !from.isFabric && !reach.has(from.instance, to.instance);
}

function identityOf({ ids }: CompileContext, network: Network, prefix: string): number {
  const part = network.parts.find((candidate) => candidate.prefix === prefix);
  return ids.need('identity', part?.identity ?? network.identity);
}

function toRules(rows: readonly ConnectionRow[], direction: PolicyDirection, peerIdentity: number): Omit<TableRule, 'id'>[] {
  return rows.map(({ protocol, ports, verdict, name }) => ({ direction, peerIdentity, protocol, ports, verdict, name }));
}

const directions = { ingress: Direction.DIRECTION_INGRESS, egress: Direction.DIRECTION_EGRESS } as const;

function toProtoRule(rule: TableRule): PolicyRule {
  return {
    direction: directions[rule.direction],
    peerIdentity: rule.peerIdentity,
    protocol: rule.protocol,
    port: rule.ports.port,
    portPrefixLength: rule.ports.length,
    verdict: toProtoVerdict(rule.verdict),
    ruleId: rule.id,
    ruleName: rule.name,
  };
}

const toServices: PolicyRule = {
  direction: Direction.DIRECTION_EGRESS_TO_SERVICE,
  peerIdentity: 0,
  protocol: 0,
  port: 0,
  portPrefixLength: 0,
  verdict: ProtoVerdict.VERDICT_PASS,
  ruleId: 0,
  ruleName: '',
};

function toProtoVerdict(verdict: Verdict): ProtoVerdict {
  return verdict === 'pass' ? ProtoVerdict.VERDICT_PASS : ProtoVerdict.VERDICT_DENY;
}
