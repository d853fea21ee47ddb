import { connected, failurePrefix } from '../probe/dial-probe';
import type { DialTarget } from '../probe/dial-probe';

/** One packet's way that is asked of the model and tried. */
export interface Cell {
  /** "pod NAMESPACE/NAME on node NODE". */
  readonly from: string;
  readonly to: string;
  readonly target: DialTarget;
  readonly expected: Expected;
}

export interface Expected {
  readonly reachable: boolean;
  /** Why, in control's words. */
  readonly reason: string;
  /** Names of those who may answer. */
  readonly answerers: readonly string[];
}

export interface Difference {
  readonly from: string;
  readonly to: string;
  readonly traffic: string;
  readonly expected: string;
  readonly found: string;
}

/** @param answer what the prober says: a name, or "!" and why there is none. @returns undefined when it is as expected. */
export function compareCell({ from, to, target, expected }: Cell, answer: string): Difference | undefined {
  const isAnswered = !answer.startsWith(failurePrefix);
  const isKnown = answer === connected || expected.answerers.includes(answer);
  if (isAnswered === expected.reachable && (!isAnswered || isKnown)) return undefined;
  const who = expected.answerers.length === 0 ? '' : ` by ${expected.answerers.join(' or ')}`;
  return {
    from,
    to,
    traffic: `${target.protocol} ${target.address}${target.port === 0 ? '' : `:${target.port}`}`,
    expected: expected.reachable ? `answered${who}: ${expected.reason}` : `no answer: ${expected.reason}`,
    found: isAnswered ? `answered by ${answer}` : `no answer: ${answer.slice(failurePrefix.length)}`,
  };
}
