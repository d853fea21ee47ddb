import type { ReachAnswer, ReachParty, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import { endpointText, protocolText, toTable } from '../output/print';

/** @param notes what people should know about the ends that they named. */
export function reachText({ answers, revision }: ReachResponse, notes: readonly string[]): string {
  return [...notes.map((note) => `Note: ${note}\n`), answers.map(answerText).join('\n'), `\nAs of revision ${revision}.\n`].join('');
}

function answerText(answer: ReachAnswer): string {
  const { from, to, protocol, port, reachable, reason, steps, backends, grants } = answer;
  const traffic = port === 0 ? protocolText(protocol) : `${protocolText(protocol)} port ${port}`;
  const parts = [
    `${reachable ? 'yes' : 'no'}: ${partyText(from)} ${reachable ? 'reaches' : 'does not reach'} ${partyText(to)} by ${traffic}\n`,
    `${reason}\n\n`,
    toTable(['LAYER', 'PASSES', 'WHAT'], steps.map(({ layer, passes, text }) => [layer, passes ? 'yes' : 'no', text])),
  ];
  if (backends.length > 0) {
    const rows = backends.map(({ name, address, port: target, node, used, reason: why }) => [name, endpointText(address, target), node, used ? 'yes' : 'no', why]);
    parts.push('\n', toTable(['BACKEND', 'ADDRESS', 'NODE', 'HASHED', 'REASON'], rows));
  }
  if (grants.length > 0) parts.push('\nWould open it:\n', ...grants.map((grant) => `- ${grant}\n`));
  return parts.join('');
}

function partyText(party: ReachParty | undefined): string {
  return party?.name ?? 'nobody';
}
