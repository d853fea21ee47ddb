import { closeSync, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { ContrailError } from '@contrail/errors';
import { KernelMap } from './kernel-map';
import type { Libbpf } from './libbpf';
import { errno, iterate, libbpf } from './libbpf';
import { layoutNumber, layoutsOf, type MapLayout } from './map-layout';

export interface BpfObjectOptions {
  readonly objectFile: string;
  /** Folder on a bpf file system; maps are pinned in a folder of their layout below it. */
  readonly pinPath: string;
  /** Sizes that differ from the source's; ignored for maps that exist already. */
  readonly maxEntries: Readonly<Record<string, number>>;
  /** Maps that hold nothing between packets: made anew each time, not pinned. */
  readonly transient: readonly string[];
  readonly perCpu: readonly string[];
  /** Programs that this kernel cannot load, left out. */
  readonly withoutPrograms: readonly string[];
  /** Last changes before the programs are loaded, which may be tried twice. */
  readonly prepare: (opened: OpenedObject) => void;
}

/** Programs and maps that the kernel does not have yet. */
export interface OpenedObject {
  readonly folder: string;
  getLayout(name: string): MapLayout;
  /** @throws ContrailError INTERNAL when the size differs. */
  setConstants(name: string, value: Buffer): void;
  /** What maps in the map of maps are like. */
  setInnerMap(name: string, shape: { keySize: number; valueSize: number; flags: number }): void;
}

/** The loaded programs and their maps. Descriptors are closed with the process. */
export interface BpfObject {
  /** `layoutNumber` of the maps. */
  readonly layout: number;
  getLayout(name: string): MapLayout;
  getMap(name: string): KernelMap;
  getProgramFd(name: string): number;
  findProgramFd(name: string): number | undefined;
  /** Maps that are pinned, with the file of each. */
  readonly pins: ReadonlyArray<{ readonly path: string; readonly fd: number }>;
}

const bpfFsMagic = 0xcafe4a11;

function requireBpfFs(path: string): void {
  let existing = path;
  while (!existsSync(existing)) {
    existing = dirname(existing);
  }
  if (statfsSync(existing).type !== bpfFsMagic) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Datapath pinPath: ${path} is not on a bpf file system; mount one (mount -t bpf bpf <folder>)`,
    );
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** CPUs that the kernel could have: per-CPU values have a slot for each. */
function possibleCpuCount(): number {
  try {
    const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
    return Number(text.split(/[-,]/).pop()) + 1;
  } catch {
    return cpus().length;
  }
}

/** System calls see per-CPU values as eight-byte aligned slots. */
function valueSizeOf(size: number, isPerCpu: boolean): number {
  return isPerCpu ? Math.ceil(size / 8) * 8 * possibleCpuCount() : size;
}

/** Keeps the pinned maps of an earlier run: their contents are the live state. */
function reusePinned(lib: Libbpf, map: bigint, path: string): void {
  const fd = lib.get(path);
  if (fd === -errno.ENOENT) {
    return;
  }
  const result = fd < 0 ? fd : lib.reuseMapFd(map, fd);
  if (fd >= 0) {
    closeSync(fd);
  }
  if (result < 0) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Map ${path}: cannot be reused (errno ${-result}); remove it and the flows it holds`,
    );
  }
}

/** Keeps the map beyond the life of the process. */
export function pinAs(lib: Libbpf, fd: number, path: string): void {
  const result = lib.pin(fd, path);
  if (result < 0) {
    throw new ContrailError('INTERNAL', `Map ${path}: cannot be pinned (errno ${-result})`);
  }
}

/** Folder of a layout's maps below the pin path. */
export function layoutFolder(pinPath: string, layout: number): string {
  return join(pinPath, `layout-${layout.toString(16).padStart(8, '0')}`);
}

interface Opened {
  readonly object: bigint;
  readonly layouts: readonly MapLayout[];
  readonly layout: number;
  readonly folder: string;
}

function open(lib: Libbpf, options: BpfObjectOptions): Opened {
  const object = lib.openFile(options.objectFile, null);
  if (object === null) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Datapath objectFile: ${options.objectFile} cannot be opened as a BPF object; build it with bpf/build.sh`,
    );
  }
  const layouts = layoutsOf(lib, object).filter(({ name }) => isPinned(name, options));
  const layout = layoutNumber(layouts);
  const folder = layoutFolder(options.pinPath, layout);
  const byName = new Map<string, bigint>();
  for (const map of iterate((previous) => lib.nextMap(object, previous))) {
    const name = lib.mapName(map);
    byName.set(name, map);
    const entries = options.maxEntries[name];
    if (entries !== undefined) {
      lib.setMapMaxEntries(map, entries);
    }
    if (isPinned(name, options)) {
      reusePinned(lib, map, join(folder, name));
    }
  }
  for (const program of iterate((previous) => lib.nextProgram(object, previous))) {
    if (options.withoutPrograms.includes(lib.programName(program))) {
      lib.setProgramAutoload(program, false);
    }
  }
  options.prepare(toOpenedObject(lib, { folder, layouts, maps: byName }));
  return { object, layouts, layout, folder };
}

function toOpenedObject(
  lib: Libbpf,
  parts: { folder: string; layouts: readonly MapLayout[]; maps: ReadonlyMap<string, bigint> },
): OpenedObject {
  const mapNamed = (name: string): bigint => found(parts.maps.get(name), `Map/${name}`);
  const check = (result: number, name: string): void => {
    if (result !== 0) {
      throw new ContrailError('INTERNAL', `Map/${name}: cannot be prepared (errno ${-result})`);
    }
  };
  return {
    folder: parts.folder,
    getLayout: (name) => found(parts.layouts.find((each) => each.name === name), `Map/${name}`),
    setConstants: (name, value) => check(lib.setInitialValue(mapNamed(name), value, value.length), name),
    setInnerMap: (name, { keySize, valueSize, flags }) => {
      const inner = lib.innerMap(mapNamed(name));
      check(lib.setMapKeySize(inner, keySize), name);
      check(lib.setMapValueSize(inner, valueSize), name);
      check(lib.setMapFlags(inner, flags), name);
    },
  };
}

/** Sections of constants have a dot in their name and come with the program. */
function isPinned(name: string, options: BpfObjectOptions): boolean {
  return !name.includes('.') && !options.transient.includes(name);
}

function load(lib: Libbpf, options: BpfObjectOptions): Opened {
  const opened = open(lib, options);
  const result = lib.load(opened.object);
  if (result === 0) {
    return opened;
  }
  lib.closeObject(opened.object);
  // Again, for the verifier's words on standard error.
  const { object: again } = open(lib, options);
  lib.setPrinting(true);
  lib.load(again);
  lib.setPrinting(false);
  lib.closeObject(again);
  throw new ContrailError(
    'FAILED_PRECONDITION',
    `Datapath objectFile: the kernel refuses ${options.objectFile} (errno ${-result}); see standard error; kernel 5.10 or later is needed`,
  );
}

/**
 * Loads the compiled programs, with the maps (and so the traffic) of an agent that ran before.
 * @throws ContrailError FAILED_PRECONDITION when the kernel or the pin folder cannot do it.
 */
export function loadBpfObject(options: BpfObjectOptions): BpfObject {
  const lib = libbpf();
  requireBpfFs(options.pinPath);
  const { object, layouts, layout, folder } = load(lib, options);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const maps = new Map<string, KernelMap>();
  const programs = new Map<string, number>();
  const pins: Array<{ path: string; fd: number }> = [];
  for (const map of iterate((previous) => lib.nextMap(object, previous))) {
    const name = lib.mapName(map);
    const shape = {
      name,
      fd: lib.mapFd(map),
      keySize: lib.mapKeySize(map),
      valueSize: valueSizeOf(lib.mapValueSize(map), options.perCpu.includes(name)),
      maxEntries: lib.mapMaxEntries(map),
    };
    maps.set(name, new KernelMap(shape));
    const path = join(folder, name);
    if (isPinned(name, options)) {
      pins.push({ path, fd: shape.fd });
      if (!existsSync(path)) pinAs(lib, shape.fd, path);
    }
  }
  for (const program of iterate((previous) => lib.nextProgram(object, previous))) {
    const name = lib.programName(program);
    if (!options.withoutPrograms.includes(name)) {
      programs.set(name, lib.programFd(program));
    }
  }
  return {
    layout,
    getLayout: (name) => found(layouts.find((each) => each.name === name), `Map/${name}`),
    getMap: (name) => found(maps.get(name), `Map/${name}`),
    getProgramFd: (name) => found(programs.get(name), `Program/${name}`),
    findProgramFd: (name) => programs.get(name),
    pins,
  };
}

function found<T>(value: T | undefined, object: string): T {
  if (value === undefined) {
    throw new ContrailError('INTERNAL', `${object}: is not in the BPF object`);
  }
  return value;
}
