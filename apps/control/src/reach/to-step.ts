import type { ReachStep } from '@contrail/proto-gen/control/v1/reach';

export type Layer = 'network' | 'isolation' | 'policy' | 'service' | 'backend' | 'route';

type Details = Partial<Pick<ReachStep, 'vrf' | 'prefix' | 'nextHop' | 'node' | 'policy' | 'rule'>>;

export function toStep(layer: Layer, passes: boolean, text: string, details: Details = {}): ReachStep {
  const { vrf = 0, prefix, nextHop = '', node = '', policy = '', rule = '' } = details;
  return { layer, passes, text, vrf, prefix, nextHop, node, policy, rule };
}
