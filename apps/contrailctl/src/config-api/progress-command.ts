import type { Command } from 'commander';
import type { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import { callUnary } from '@contrail/rpc';
import { toFormat, toTable } from '../output/print';
import { withConfigApi } from '../session';
import type { Session } from '../session';

/** Adds the command that compares the nodes with the configuration. */
export function addProgressCommand(program: Command, open: () => Session): void {
  program.command('progress').description('how far each node is behind the configuration').action(() => progress(open()));
}

async function progress(session: Session): Promise<void> {
  const response = await withConfigApi(session, (client) => callUnary(client, 'getProgress', {}));
  const table = (): string => progressTable(response.nodes, response.revision, Date.now());
  session.write(toFormat(session.options.output, response, table));
}

export function progressTable(nodes: readonly NodeProgress[], revision: bigint, nowMs: number): string {
  const table = toTable(
    ['NODE', 'REVISION', 'BEHIND', 'REPORTED', 'EXCEPTIONS'],
    [...nodes]
      .sort((a, b) => (a.node < b.node ? -1 : 1))
      .map((node) => [
        node.node,
        node.revision,
        revision > node.revision ? revision - node.revision : 0n,
        `${Math.max(0, Math.round((nowMs - Number(node.reportedAtMs)) / 1000))}s ago`,
        node.exceptions.length,
      ]),
  );
  const reasons = nodes.flatMap(({ node, exceptions }) =>
    exceptions.map(({ type, uuid, reason }) => `${node}: ${type} ${uuid}: ${reason}\n`),
  );
  return table + reasons.join('');
}
