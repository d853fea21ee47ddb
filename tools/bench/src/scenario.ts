import type { TrafficTest } from './load';
import type { Programs } from './programs';

export interface ScenarioContext {
  readonly quick: boolean;
  /** Rounds asked for; undefined: as the scenario finds right. */
  readonly rounds: number | undefined;
  /** Kinds of traffic asked for; undefined: all. */
  readonly tests: readonly TrafficTest[] | undefined;
  readonly programs: Programs;
  readonly progress: (text: string) => void;
  /** Aborted when somebody ends the tool: the scenario throws soon and takes down what it made. */
  readonly signal: AbortSignal;
}

/** One part of the measurements. */
export interface Scenario {
  /** Word of the command line, and name of the section in docs/performance.md. */
  readonly name: string;
  readonly title: string;
  /** @returns Markdown: tables and how they were made, without heading. */
  run(context: ScenarioContext): Promise<string>;
}
