import type { Command } from 'commander';
import { ContrailError } from '@contrail/errors';
import type { ReachRequest, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import { callUnary } from '@contrail/rpc';
import { isKubernetesKnown, withKubernetes } from '../kubernetes-connection';
import { toFormat } from '../output/print';
import { withControl } from '../session';
import type { Session } from '../session';
import { findInKubernetes } from './find-in-kubernetes';
import { parseEnd, parsePort } from './parse-ends';
import { reachText } from './reach-text';

/** Exit status, as that of grep. */
const [isReached, isNotReached, isNotKnown] = [0, 1, 2];

/** Adds `reach FROM TO [PORT]`. */
export function addReachCommand(program: Command, open: () => Session): void {
  program
    .command('reach')
    .description('whether one pod, service, node or address reaches another one, and why; exit status 0 yes, 1 no, 2 could not tell')
    .argument('<from>', 'NAMESPACE/POD, pod/NAMESPACE/NAME, svc/NAMESPACE/NAME (its backends), node/NAME or an address')
    .argument('<to>', 'the same; a service by its cluster IP')
    .argument('[port]', 'such as 80, 53/udp or icmp; left out: every port of a service, otherwise ping')
    .action((from: string, to: string, port?: string) => runReach(open(), { from, to, port }));
}

interface Words {
  readonly from: string;
  readonly to: string;
  readonly port: string | undefined;
}

async function runReach(session: Session, { from, to, port }: Words): Promise<void> {
  session.exit(isNotKnown);
  const request = { from: parseEnd(from), to: parseEnd(to), ...parsePort(port) };
  const { response, notes } = await askWithPods(session, request);
  session.write(toFormat(session.options.output, { ...response, notes }, () => wordsOf(session, response, notes)));
  session.exit(response.reachable ? isReached : isNotReached);
}

function wordsOf({ options }: Session, response: ReachResponse, notes: readonly string[]): string {
  return options.output === 'name' ? `${response.reachable ? 'yes' : 'no'}\n` : reachText(response, notes);
}

interface Answered {
  readonly response: ReachResponse;
  readonly notes: readonly string[];
}

/** Pods that control does not know may be known to Kubernetes: on the host network, or completed. */
async function askWithPods(session: Session, request: ReachRequest): Promise<Answered> {
  try {
    return { response: await askReach(session, request), notes: [] };
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'NOT_FOUND' || !isKubernetesKnown(session)) throw error;
    const { from, to } = request;
    if (from === undefined || to === undefined) throw error;
    const ends = await withKubernetes(session, async (kubernetes) => [await findInKubernetes(kubernetes, from), await findInKubernetes(kubernetes, to)] as const);
    const notes = ends.map(({ note }) => note).filter((note) => note !== '');
    if (notes.length === 0) throw error;
    return { response: await askReach(session, { ...request, from: ends[0].end, to: ends[1].end }), notes };
  }
}

async function askReach(session: Session, request: ReachRequest): Promise<ReachResponse> {
  return await withControl(session, (client) => callUnary(client, 'reach', request, { signal: session.signal }));
}
