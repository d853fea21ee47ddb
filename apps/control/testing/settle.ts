import type { Compiler, CompileResult, LearntId, ObjectChange } from '../src/engine/compiler';
import type { EntryTable, EntryUpdate } from '../src/engine/entry-table';
import type { WantedId } from '../src/engine/wanted-ids';

/** Allots numbers as config-api does: equal keys, equal numbers, in order of demand. */
export class TestIds {
  readonly #ids = new Map<string, number>();

  learn(missing: readonly WantedId[]): LearntId[] {
    return missing.map((wanted) => ({ wanted, id: this.allot(wanted.kind, wanted.key) }));
  }

  allot(kind: string, key: string): number {
    const known = this.#ids.get(`${kind} ${key}`);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(`${kind} ${key}`, id);
    return id;
  }
}

/** Applies changes and compiles until no number is missing. */
export function settle(
  compiler: Compiler,
  table: EntryTable,
  { changes, ids }: { readonly changes: readonly ObjectChange[]; readonly ids: TestIds },
): EntryUpdate[] {
  for (const change of changes) compiler.apply(change);
  const updates: EntryUpdate[] = [];
  for (;;) {
    const result = drain(compiler.compile());
    for (const update of result.updates) table.apply(update);
    updates.push(...result.updates);
    if (result.missingIds.length === 0) return updates;
    compiler.learn(ids.learn(result.missingIds));
  }
}

/** Compiles to the end. */
export function drain(steps: Generator<void, CompileResult>): CompileResult {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
