import type { ForwardingState } from '../ksync/forwarding-state';
import type { RowDrift } from '../ksync/table-sync';
import type { TableName } from '../oper/desired-tables';
import { describeDifference, describeValue } from './describe-value';
import { absent } from './drift';
import type { Check, Drift, Found, Pause } from './drift';

/** Rows that one table lacks, has beside the desired ones, or has with another value. */
export class TableCheck implements Check {
  readonly kind = 'map';
  readonly settles = false;
  readonly #state: ForwardingState;
  readonly #name: TableName;

  constructor(state: ForwardingState, name: TableName) {
    this.#state = state;
    this.#name = name;
  }

  async find(pause: Pause): Promise<Found> {
    const table = this.#state.tables[this.#name];
    const drifts = await table.drifts(pause);
    return { count: table.size, drifts: drifts.map((drift) => describeDrift(table.name, drift)) };
  }

  mend(): void {
    this.#state.rewriteTable(this.#name);
  }
}

function describeDrift(table: string, { key, desired, found, reason }: RowDrift<unknown, unknown>): Drift {
  return {
    kind: 'map',
    object: `${table} ${describeValue(key)}`,
    expected: desired === undefined ? absent : describeDifference(desired, found),
    found: found === undefined ? absent : describeDifference(found, desired),
    remedy: reason === undefined ? 'the agent writes the row again; find who else writes the maps' : `the agent tries again: ${reason}`,
  };
}
