import { closeSync, rmSync } from 'node:fs';
import { ContrailError } from '@contrail/errors';
import type { BpfObject } from './bpf/bpf-object';
import { pinAs } from './bpf/bpf-object';
import { queryClassifier } from './bpf/classifier';
import type { Direction } from './bpf/classifier';
import { errno, libbpf } from './bpf/libbpf';
import { identityOf } from './bpf/object-id';
import type { DatapathGlobals, Held, Hook, Upkeep } from './port';

/** enum slow_program of bpf/vrouter.bpf.c, in its order. */
const slowHooks: readonly Hook[] = ['pod', 'tunnel', 'uplink', 'host', 'loopback'];

export interface KernelUpkeepOptions {
  readonly object: BpfObject;
  readonly directionOf: (hook: Hook) => Direction;
  readonly readGlobals: () => DatapathGlobals | undefined;
}

/** Programs and pins of this agent, compared by the kernel's own numbers. */
export class KernelUpkeep implements Upkeep {
  constructor(private readonly options: KernelUpkeepOptions) {}

  inspectHook(ifindex: number, hook: Hook): Held {
    const expected = identityOf(this.options.object.getProgramFd(hook));
    const found = queryClassifier(ifindex, this.options.directionOf(hook));
    return {
      object: `${hook} at ifindex ${ifindex}`,
      expected: programText(expected.id, expected.tag),
      found: found === undefined ? undefined : programText(found, found === expected.id ? expected.tag : undefined),
    };
  }

  inspectSlowPrograms(): Held[] {
    return slowHooks.map((hook, slot) => {
      const expected = identityOf(this.slowProgram(hook));
      const id = this.slowMap().lookup(slotKey(slot))?.readUInt32LE(0);
      const text = id === undefined ? undefined : programText(id, id === expected.id ? expected.tag : undefined);
      return { object: `${hook}_slow`, expected: programText(expected.id, expected.tag), found: text };
    });
  }

  inspectPins(): Held[] {
    return this.options.object.pins.map(({ path, fd }) => {
      const found = pinnedId(path);
      return { object: path, expected: `map id ${identityOf(fd).id}`, found: found === undefined ? undefined : `map id ${found}` };
    });
  }

  readGlobals(): DatapathGlobals | undefined {
    return this.options.readGlobals();
  }

  restore(): void {
    slowHooks.forEach((hook, slot) => {
      const value = Buffer.alloc(4);
      value.writeInt32LE(this.slowProgram(hook));
      this.slowMap().update(slotKey(slot), value);
    });
    for (const { path, fd } of this.options.object.pins) {
      const found = pinnedId(path);
      if (found === identityOf(fd).id) continue;
      rmSync(path, { force: true });
      pinAs(libbpf(), fd, path);
    }
  }

  private slowProgram(hook: Hook): number {
    return this.options.object.getProgramFd(`${hook}_slow`);
  }

  private slowMap(): ReturnType<BpfObject['getMap']> {
    return this.options.object.getMap('slow_programs');
  }
}

function programText(id: number, tag: string | undefined): string {
  return tag === undefined ? `program id ${id}` : `program id ${id} tag ${tag}`;
}

function slotKey(slot: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(slot);
  return key;
}

/** Id of the map in the file; undefined when there is no such file, or it is no map. */
function pinnedId(path: string): number | undefined {
  const fd = libbpf().get(path);
  if (fd < 0) {
    if (fd !== -errno.ENOENT) throw new ContrailError('INTERNAL', `Pin ${path}: cannot be opened (errno ${-fd})`);
    return undefined;
  }
  try {
    return identityOf(fd).id;
  } finally {
    closeSync(fd);
  }
}
