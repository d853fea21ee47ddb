import { unitKinds } from '../compile/unit';
import type { Unit, UnitKind } from '../compile/unit';
import type { Trace } from './entry-table';

/** Traced changes remembered for one unit; of a storm only the first are followed. */
const tracesMax = 16;

/** Units to compile again, each once, with the traced changes that made them dirty. */
export class DirtyUnits {
  readonly #units = new Map<UnitKind, Map<string, Unit>>(unitKinds.map((kind) => [kind, new Map()]));
  readonly #traces = new Map<string, Set<Trace>>();

  get size(): number {
    let size = 0;
    for (const units of this.#units.values()) size += units.size;
    return size;
  }

  add(units: Iterable<Unit>, traces: readonly Trace[]): void {
    for (const unit of units) {
      this.#units.get(unit.kind)?.set(unit.key, unit);
      if (traces.length === 0) continue;
      const known = this.#traces.get(unit.key) ?? new Set();
      for (const trace of traces) if (known.size < tracesMax) known.add(trace);
      this.#traces.set(unit.key, known);
    }
  }

  /** Takes the units of a kind out. */
  take(kind: UnitKind): Unit[] {
    const units = this.#units.get(kind);
    const taken = [...(units?.values() ?? [])];
    units?.clear();
    return taken;
  }

  tracesOf(unit: Unit): readonly Trace[] {
    return [...(this.#traces.get(unit.key) ?? [])];
  }

  /** After all kinds were taken. */
  forgetTraces(): void {
    this.#traces.clear();
  }
}
