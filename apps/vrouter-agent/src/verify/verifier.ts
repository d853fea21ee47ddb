import { setImmediate } from 'node:timers/promises';
import { ContrailError, errorText } from '@contrail/errors';
import type { Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import type { CniContext } from '../cni-server/cni-context';
import { tableNames } from '../oper/desired-tables';
import { driftKey } from './drift';
import type { Check, Drift, DriftKind, Found } from './drift';
import { InterfaceCheck } from './interface-check';
import { attachmentCheck, flowCheck, leftoverDeviceCheck } from './leftover-checks';
import { deviceCheck, globalsCheck, routeCheck } from './node-checks';
import { hookCheck, pinCheck, slowProgramCheck } from './program-checks';
import { TableCheck } from './table-check';

const log = logger('verify');

/** A change that is being made is over after this time. */
const settleMs = 1500;
/** Work in the background (removal of flows and devices) is waited for this long after a repair. */
const mendMs = 5000;
const mendPollMs = 250;

export interface VerifyOptions {
  readonly repair: boolean;
  /** Also what is expensive to look at: every flow record. */
  readonly thorough: boolean;
}

export interface MendedDrift extends Drift {
  /** A second look after the repair did not find it again. */
  readonly mended: boolean;
}

export interface Verified {
  readonly drifts: readonly MendedDrift[];
  readonly checked: ReadonlyMap<DriftKind, number>;
}

/** Compares desired with actual, one check after another, one run at a time. */
export class Verifier {
  readonly #context: CniContext;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #running: Promise<unknown> = Promise.resolve();

  /** @param signal aborted when the agent stops: a run ends at its next wait. */
  constructor(context: CniContext, clock: Clock, signal: AbortSignal) {
    this.#context = context;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @throws ContrailError UNAVAILABLE before the first InSync: what is desired is not known yet. */
  async run(options: VerifyOptions): Promise<Verified> {
    const run = this.#running.then(() => this.#run(options));
    this.#running = run.catch(() => undefined);
    return await run;
  }

  async #run({ repair, thorough }: VerifyOptions): Promise<Verified> {
    const { state, controlProblem } = this.#context;
    if (!state.inSync) {
      throw new ContrailError('UNAVAILABLE', `what this node should have is not known yet: ${controlProblem() ?? 'the snapshot is arriving'}; try again`);
    }
    const checked = new Map<DriftKind, number>();
    const drifts: MendedDrift[] = [];
    for (const check of this.#checks(thorough)) {
      const found = await this.#find(check);
      checked.set(check.kind, (checked.get(check.kind) ?? 0) + found.count);
      const left = repair && found.drifts.length > 0 ? await this.#mend(check, found.drifts) : new Set(found.drifts.map(driftKey));
      drifts.push(...found.drifts.map((drift) => ({ ...drift, mended: !left.has(driftKey(drift)) })));
    }
    return { drifts, checked };
  }

  /** Devices before what refers to them, so that one cause is mended once. */
  #checks(thorough: boolean): Check[] {
    const { datapath, state } = this.#context;
    return [
      pinCheck(datapath),
      slowProgramCheck(datapath),
      attachmentCheck(this.#context),
      leftoverDeviceCheck(this.#context),
      deviceCheck(state, datapath),
      routeCheck(state, datapath),
      new InterfaceCheck(this.#context),
      hookCheck(state, datapath),
      globalsCheck(state, datapath),
      ...tableNames.map((name) => new TableCheck(state, name)),
      ...(thorough ? [flowCheck(this.#context)] : []),
    ];
  }

  async #find(check: Check): Promise<Found> {
    const first = await check.find(pause);
    if (!check.settles || first.drifts.length === 0) return first;
    await this.#clock.sleep(settleMs, this.#signal);
    const before = new Map(first.drifts.map((drift) => [driftKey(drift), drift.found]));
    const second = await check.find(pause);
    return { count: second.count, drifts: second.drifts.filter((drift) => before.get(driftKey(drift)) === drift.found) };
  }

  /** @returns keys of what is still there afterwards. */
  async #mend(check: Check, drifts: readonly Drift[]): Promise<Set<string>> {
    try {
      check.mend(drifts);
    } catch (error) {
      log.error('drift not mended', { kind: check.kind, reason: errorText(error) });
    }
    for (let waitedMs = 0; ; waitedMs += mendPollMs) {
      const left = new Set((await check.find(pause)).drifts.map(driftKey));
      if (waitedMs >= mendMs || drifts.every((drift) => !left.has(driftKey(drift)))) return left;
      await this.#clock.sleep(mendPollMs, this.#signal);
    }
  }
}

async function pause(): Promise<void> {
  await setImmediate();
}
