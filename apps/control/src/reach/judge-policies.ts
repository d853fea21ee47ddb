import { explain } from '@contrail/policy';
import type { Packet, VerdictTable } from '@contrail/policy';
import { Direction as ProtoDirection, Verdict as ProtoVerdict } from '@contrail/proto-gen/control/v1/messages';
import type { PolicyTable } from '@contrail/proto-gen/control/v1/messages';
import type { CompileContext } from '../compile/compile-context';
import { compileUnit } from '../compile/compile-unit';
import { interfaceUnit, policyUnit } from '../compile/unit';
import type { InterfaceObject } from '../model/model-object';
import type { Sender } from './ends';

/** What the verdict tables of both ends say, as the datapath asks them: after translation, egress before ingress. */
export interface Judgement {
  readonly passes: boolean;
  readonly text: string;
  /** Rule that decided; empty for the default of the table. */
  readonly rule: string;
}

export interface Traffic {
  readonly protocol: number;
  /** 0 for protocols without ports. */
  readonly port: number;
  /** Translated by a service of the sender's VRF. */
  readonly isToService?: boolean;
}

export interface Receiver {
  /** Undefined for nodes and the world outside, which have no table. */
  readonly interface: InterfaceObject | undefined;
  readonly node: string;
  /** Number of its identity, as the route to it says; 0: unknown. */
  readonly identity: number;
}

export function judgePolicies(context: CompileContext, sender: Sender, receiver: Receiver, traffic: Traffic): Judgement[] {
  const isSelf = sender.interface !== undefined && sender.interface.uuid === receiver.interface?.uuid;
  if (isSelf) return [{ passes: true, text: 'policy does not apply to what a pod sends to itself', rule: '' }];
  const judgements: Judgement[] = [];
  if (sender.interface !== undefined && traffic.isToService === true) {
    judgements.push({ passes: true, text: 'policy of the sender, egress: a service is judged where it is called', rule: '' });
  } else if (sender.interface !== undefined) {
    judgements.push(judge(context, sender.interface, { direction: 'egress', peerIdentity: receiver.identity, ...traffic }));
  }
  if (receiver.interface === undefined) return judgements;
  if (sender.interface === undefined && sender.node === receiver.node) {
    return [...judgements, { passes: true, text: 'a node always reaches its own pods: policy does not apply', rule: '' }];
  }
  const peerIdentity = identityOf(context, sender);
  return [...judgements, judge(context, receiver.interface, { direction: 'ingress', peerIdentity, ...traffic })];
}

/** As its label tells the receiver. */
function identityOf(context: CompileContext, sender: Sender): number {
  const entry = sender.interface && compileUnit(context, interfaceUnit(sender.interface.uuid))?.entry.kind;
  if (entry?.$case === 'interface') return entry.value.identity;
  return sender.network === undefined ? 0 : context.ids.need('identity', sender.network.identity);
}

function judge(context: CompileContext, vmi: InterfaceObject, packet: Packet): Judgement {
  const { direction } = packet;
  const side = direction === 'egress' ? 'of the sender, egress' : 'of the receiver, ingress';
  const text = compileUnit(context, interfaceUnit(vmi.uuid))?.interest?.policy;
  const entry = text === undefined ? undefined : compileUnit(context, policyUnit(text))?.entry.kind;
  if (entry?.$case !== 'policy') return { passes: false, text: `policy ${side}: is not programmed yet, so nothing passes`, rule: '' };
  const { verdict, name } = explain(toVerdictTable(entry.value), packet);
  const decided = name === '' ? 'the default' : `rule ${name}`;
  return { passes: verdict === 'pass', text: `policy ${side}: ${decided} ${verdict === 'pass' ? 'passes' : 'denies'} it`, rule: name };
}

/** The table as agents get it. */
function toVerdictTable({ name, rules, defaultIngress, defaultEgress }: PolicyTable): VerdictTable {
  const verdict = (value: ProtoVerdict): 'pass' | 'deny' => (value === ProtoVerdict.VERDICT_PASS ? 'pass' : 'deny');
  return {
    name,
    rules: rules.filter(({ direction }) => direction !== ProtoDirection.DIRECTION_EGRESS_TO_SERVICE).map((rule) => ({
      id: rule.ruleId,
      name: rule.ruleName,
      verdict: verdict(rule.verdict),
      direction: rule.direction === ProtoDirection.DIRECTION_INGRESS ? 'ingress' : 'egress',
      peerIdentity: rule.peerIdentity,
      protocol: rule.protocol,
      ports: { port: rule.port, length: rule.portPrefixLength },
    })),
    defaults: { ingress: { verdict: verdict(defaultIngress), name: '' }, egress: { verdict: verdict(defaultEgress), name: '' } },
  };
}
