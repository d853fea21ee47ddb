import type { VerifyResponse, Vif } from '@contrail/proto-gen/agent/v1/messages';
import { ContrailError, errorText } from '@contrail/errors';
import { callUnary } from '@contrail/rpc';
import { withAgent } from '../session';
import type { Session } from '../session';
import type { NodeFacts } from './compare-objects';
import type { ClusterDrift, Verification } from './drift';

/** Comparing a node with full tables takes seconds, a repair more. */
const deadlineMs = 60_000;
const nodesAtOnce = 16;

/** Address undefined: the agent behind the unix socket. */
export interface NodeTarget {
  readonly name: string;
  readonly address: string | undefined;
}

export interface VerifiedNodes extends Verification {
  /** Of the nodes that answered. */
  readonly facts: readonly NodeFacts[];
}

/** Has each agent compare its node; those that do not answer are named. */
export async function verifyNodes(session: Session, targets: readonly NodeTarget[], repair: boolean): Promise<VerifiedNodes> {
  const drifts: ClusterDrift[] = [];
  const checked = new Map<string, number>();
  const notChecked: string[] = [];
  const facts: NodeFacts[] = [];
  const queue = [...targets];
  const work = async (): Promise<void> => {
    for (let target = queue.shift(); target; target = queue.shift()) {
      try {
        const { verified, vifs } = await verifyNode(session, target, repair);
        drifts.push(...verified.drifts.map((drift) => ({ ...drift, node: verified.node })));
        for (const { kind, count } of verified.checked) checked.set(kind, (checked.get(kind) ?? 0) + count);
        facts.push(toFacts(verified, vifs));
      } catch (error) {
        notChecked.push(`node ${target.name}: ${error instanceof ContrailError ? error.message : errorText(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: nodesAtOnce }, work));
  return { drifts: drifts.sort((a, b) => (a.node < b.node ? -1 : 1)), checked, notChecked, facts };
}

async function verifyNode(session: Session, { address }: NodeTarget, repair: boolean): Promise<{ verified: VerifyResponse; vifs: Vif[] }> {
  const options = address === undefined ? session.options : { ...session.options, node: address };
  return await withAgent({ ...session, options }, async (client) => {
    const verified = await callUnary(client, 'verify', { repair }, { deadlineMs, signal: session.signal });
    const { vifs } = await callUnary(client, 'listInterfaces', {}, { signal: session.signal });
    return { verified, vifs };
  });
}

function toFacts({ node, attachments }: VerifyResponse, vifs: readonly Vif[]): NodeFacts {
  return {
    node,
    attachments: new Map(attachments.map(({ vmiUuid, device }) => [vmiUuid, device])),
    // Without ifindex it is an interface that waits for its device, not a row.
    vifs: new Set(vifs.filter(({ kind, ifindex }) => kind === 'pod' && ifindex !== 0).map(({ uuid }) => uuid)),
  };
}
