import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { findMessage, ipFabricNetworkUuid } from '@contrail/resource-model';
import { clusterResources, network, policy, testUuid, uuids } from '../../testing/cluster';
import type { PolicySide } from '../../testing/cluster';
import { Model } from '../model/model';
import { toModelObject } from '../model/to-model-object';
import { joinNetworks } from './join-networks';
import { networksWithPolicies } from './policy-networks';

const [red, blue, green] = [testUuid(2, 20), testUuid(2, 21), testUuid(2, 22)] as [string, string, string];
const [first, second] = [testUuid(3, 20), testUuid(3, 21)] as [string, string];
const name = (color: string): string => `default-domain:p:${color}`;

function joinsOf(...resources: Resource[]): Record<string, string[]> {
  const model = new Model();
  for (const resource of resources) {
    const object = toModelObject(resource);
    if (object !== undefined) model.put(object);
  }
  const { joins } = joinNetworks(networksWithPolicies(model));
  return Object.fromEntries([...joins].map(([uuid, peers]) => [uuid, [...peers.keys()].sort()]));
}

function vn(uuid: string, color: string, ...policies: string[]): Resource[] {
  return network(uuid, ['default-domain', 'p', color], { vni: 5, policies });
}

function between(uuid: string, from: PolicySide, to: PolicySide): Resource {
  return policy(uuid, uuid, { from, to });
}

const redToBlue = between(first, { virtualNetwork: name('red') }, { virtualNetwork: name('blue') });

describe('joinNetworks', () => {
  it('joins two networks when a rule between them is attached to both', () => {
    const joins = joinsOf(redToBlue, ...vn(red, 'red', first), ...vn(blue, 'blue', first), ...vn(green, 'green'));
    expect(joins).toEqual({ [red]: [blue], [blue]: [red], [green]: [] });
  });

  it('joins nothing when only one end is attached', () => {
    expect(joinsOf(redToBlue, ...vn(red, 'red', first), ...vn(blue, 'blue'))).toEqual({ [red]: [], [blue]: [] });
  });

  it('joins by two policies, each naming the other end', () => {
    const back = between(second, { virtualNetwork: name('blue') }, { virtualNetwork: name('red') });
    const joins = joinsOf(redToBlue, back, ...vn(red, 'red', first), ...vn(blue, 'blue', second));
    expect(joins).toEqual({ [red]: [blue], [blue]: [red] });
  });

  it('takes a policy as every network to which it is attached', () => {
    const policyName = `default-domain:k8s-default:${first}`;
    const hub = between(first, { networkPolicy: policyName }, { virtualNetwork: name('red') });
    const joins = joinsOf(hub, ...vn(red, 'red', first), ...vn(blue, 'blue', first), ...vn(green, 'green', first));
    expect(joins).toEqual({ [red]: [blue, green], [blue]: [red], [green]: [red] });
  });

  it('understands any and local', () => {
    const toAny = between(first, { virtualNetwork: 'local' }, { virtualNetwork: 'any' });
    const joins = joinsOf(toAny, ...vn(red, 'red', first), ...vn(blue, 'blue', first), ...vn(green, 'green'));
    expect(joins).toEqual({ [red]: [blue], [blue]: [red], [green]: [] });
  });

  it('joins nothing by a rule that denies', () => {
    const denying = structuredClone(redToBlue);
    const [rule] = findMessage('network-policy', denying)?.networkPolicyEntries?.policyRule ?? [];
    if (rule?.actionList === undefined) throw new Error('the policy has a rule');
    rule.actionList.simpleAction = 'deny';
    expect(joinsOf(denying, ...vn(red, 'red', first), ...vn(blue, 'blue', first))).toEqual({ [red]: [], [blue]: [] });
  });

  it('joins the cluster networks as R21 §2.2 says', () => {
    const { podNetwork: pods, serviceNetwork: services } = uuids;
    expect(joinsOf(...clusterResources())).toEqual({
      [ipFabricNetworkUuid]: [pods, services].sort(),
      [pods]: [services, ipFabricNetworkUuid].sort(),
      [services]: [pods, ipFabricNetworkUuid].sort(),
    });
  });
});
