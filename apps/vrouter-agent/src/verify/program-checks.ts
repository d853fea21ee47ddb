import type { Datapath, Held } from '../datapath/port';
import type { ForwardingState } from '../ksync/forwarding-state';
import { absent } from './drift';
import type { Check, Drift, DriftKind } from './drift';

/** Every hook has this agent's program, also those of pods' interfaces. */
export function hookCheck(state: ForwardingState, { upkeep }: Datapath): Check {
  return {
    kind: 'program',
    // An interface that goes loses its program a moment before the agent forgets it.
    settles: true,
    find: async (pause) => {
      const hooks = state.expectedNode()?.hooks ?? [];
      const held: Held[] = [];
      for (const { ifindex, hook } of hooks) {
        held.push(upkeep.inspectHook(ifindex, hook));
        if (held.length % 64 === 0) await pause();
      }
      return { count: held.length, drifts: swapped('program', held, 'the agent attaches its program; find the other tool that uses tc') };
    },
    mend: () => state.rewriteNode(),
  };
}

/** The second halves, reached by tail calls. Where one is missing a hook is closed to new connections. */
export function slowProgramCheck({ upkeep }: Datapath): Check {
  return {
    kind: 'program',
    settles: false,
    find: async () => {
      const held = upkeep.inspectSlowPrograms();
      return { count: held.length, drifts: swapped('program', held, 'the agent puts its own program back') };
    },
    mend: () => upkeep.restore(),
  };
}

/** Files that keep maps: without one the next start of the agent would begin with an empty map. */
export function pinCheck({ upkeep }: Datapath): Check {
  return {
    kind: 'pin',
    settles: false,
    find: async () => {
      const held = upkeep.inspectPins();
      return { count: held.length, drifts: swapped('pin', held, 'the agent pins its map again') };
    },
    mend: () => upkeep.restore(),
  };
}

function swapped(kind: DriftKind, held: readonly Held[], remedy: string): Drift[] {
  return held
    .filter(({ expected, found }) => expected !== found)
    .map(({ object, expected, found }) => ({ kind, object, expected, found: found ?? absent, remedy }));
}
