import type { ObjectConflict } from '@contrail/proto-gen/config/v1/messages';
import type { Model } from '../model/model';
import { joiningRules } from '../reach/joining-rule';
import type { Topology } from '../topology/topology';

export interface ConflictSource {
  readonly model: Model;
  /** Of this model. */
  readonly topology: Topology;
}

/** Conflicts that one object tells; of more it says how many. */
const toldMax = 5;

/**
 * What has to be written on networks and policies, so that they say which networks are not joined although policies say so,
 * and nothing else. Empty when they say it already.
 */
export function wantedConflicts({ model, topology }: ConflictSource): ObjectConflict[] {
  const texts = conflictTexts({ model, topology });
  const objects = [...model.all('virtual-network'), ...model.all('network-policy')];
  return objects.flatMap(({ type, uuid, conflict }) => {
    const text = texts.get(uuid) ?? '';
    return text === conflict ? [] : [{ type, uuid, text }];
  });
}

/** By the uuid of each network and policy concerned. */
function conflictTexts({ model, topology }: ConflictSource): Map<string, string> {
  const byName = new Map([...topology.networks.values()].map(({ name, uuid }) => [name, uuid]));
  const sentences = new Map<string, string[]>();
  for (const { networks, reason } of topology.refused) {
    const [a, b] = networks.map((name) => byName.get(name) ?? '');
    const rules = joiningRules(model, a ?? '', b ?? '');
    const policies = [...new Set(rules.map(({ policy }) => policy))].sort();
    const names = `network ${networks[0]} is not joined with network ${networks[1]}`;
    const sentence = `${names}, although ${policies.join(' and ')} says so: ${reason}`;
    for (const uuid of new Set([a ?? '', b ?? '', ...rules.map(({ policyUuid }) => policyUuid)])) {
      if (sentences.get(uuid)?.push(sentence) === undefined) sentences.set(uuid, [sentence]);
    }
  }
  return new Map([...sentences].map(([uuid, told]) => [uuid, inWords(told)]));
}

function inWords(sentences: readonly string[]): string {
  const more = sentences.length > toldMax ? [`… and ${sentences.length - toldMax} more`] : [];
  return [...sentences].sort().slice(0, toldMax).concat(more).join('\n');
}
