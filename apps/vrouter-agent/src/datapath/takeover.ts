/**
 * Flows that programs of another layout made: found below the pin path, read by the programs while
 * they are needed, moved, and their maps removed. Either direction of an upgrade is the same.
 */
import { closeSync, existsSync, readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ContrailError } from '@contrail/errors';
import { KernelMap } from './bpf/kernel-map';
import type { OpenedObject } from './bpf/bpf-object';
import { libbpf } from './bpf/libbpf';
import { recordLayoutOf } from './bpf/map-layout';
import { type MapInfo, mapInfoOf } from './bpf/map-info';
import { convertBytes, encodeConverter, fitsConverter, gather, type RecordLayout } from './layout/record-converter';

const flowsName = 'flows_v4';
const slowProgramsName = 'slow_programs';
/** Records after which other work gets its turn: about a millisecond. */
const turnSize = 256;
/** While our table is full the rest waits, at most as long as the longest-lived flow would. */
const fullRetryMs = 10_000;
const moveDeadlineMs = 8_000_000;
/** BPF_MAP_TYPE_HASH */
const hashType = 1;

/** The pinned maps of another layout. */
export interface OtherLayout {
  readonly folder: string;
  readonly info: MapInfo;
  readonly records: RecordLayout;
  readonly flows: KernelMap;
}

/** Other layouts below the pin path, the youngest first: its programs are the attached ones. */
export function findOtherLayouts(pinPath: string, own: string, onFailure: (error: unknown) => void): OtherLayout[] {
  const folders = existsSync(pinPath) ? readdirSync(pinPath).map((name) => join(pinPath, name)) : [];
  return folders
    .filter((folder) => folder !== own && existsSync(join(folder, flowsName)))
    .sort((a, b) => statSync(b).ctimeMs - statSync(a).ctimeMs)
    .flatMap((folder) => {
      try {
        return [openLayout(folder)];
      } catch (error) {
        onFailure(error);
        return [];
      }
    });
}

function openLayout(folder: string): OtherLayout {
  const fd = getPinned(join(folder, flowsName));
  const info = mapInfoOf(fd);
  const { keySize, valueSize, maxEntries } = info;
  const flows = new KernelMap({ name: `${flowsName} of ${folder}`, fd, keySize, valueSize, maxEntries });
  return { folder, info, records: recordLayoutOf(info), flows };
}

function getPinned(path: string): number {
  const fd = libbpf().get(path);
  if (fd < 0) throw new ContrailError('INTERNAL', `Map ${path}: cannot be opened (errno ${-fd})`);
  return fd;
}

/** Tells the programs, before they are loaded, how to read the other's flows, or that there are none. */
export function prepareConverter(opened: OpenedObject, other: OtherLayout | undefined): void {
  const own = opened.getLayout(flowsName);
  const source = other !== undefined && isReadable(other) ? other : undefined;
  const { keySize, valueSize } = source?.records ?? own;
  opened.setInnerMap('other_flows', { keySize, valueSize, flags: source?.info.flags ?? own.flags });
  opened.setConstants('.rodata.converter', encodeConverter(source?.records ?? own, own));
}

/** False: only the agent itself can move the records, after the programs are attached. */
function isReadable({ info, records }: OtherLayout): boolean {
  return info.type === hashType && fitsConverter(records);
}

export interface TakeoverParts {
  readonly others: readonly OtherLayout[];
  readonly flows: KernelMap;
  readonly records: RecordLayout;
  /** The map of maps through which the programs reach `others[0]`. */
  readonly otherFlows: KernelMap;
  /** Descriptors of our slow programs, by their number in `slow_programs`. */
  readonly slowPrograms: readonly number[];
  readonly onFailure: (error: unknown) => void;
}

/** The change from one layout to another, once. */
export class Takeover {
  private begun = false;
  private finished: Promise<void> | undefined;

  /** The programs see the other's flows from now on. */
  constructor(private readonly parts: TakeoverParts) {
    const [other] = parts.others;
    if (other !== undefined && isReadable(other)) parts.otherFlows.update(Buffer.alloc(4), wordOf(other.flows.shape.fd));
  }

  /**
   * Before the first of our programs is attached where the other's send first packets to their slow
   * half: they now send them to ours, so every new flow is made in one place.
   */
  begin(): void {
    if (this.begun) return;
    this.begun = true;
    for (const { folder } of this.parts.others) {
      const fd = getPinned(join(folder, slowProgramsName));
      const shape = { name: `${slowProgramsName} of ${folder}`, fd, keySize: 4, valueSize: 4, maxEntries: this.parts.slowPrograms.length };
      const map = new KernelMap(shape);
      this.parts.slowPrograms.forEach((program, slot) => map.update(wordOf(slot), wordOf(program)));
      closeSync(fd);
    }
  }

  /** After all of our programs are attached: moves what no packet moved yet, then removes the maps. */
  finish(): Promise<void> {
    this.finished ??= this.moveAll().catch(this.parts.onFailure);
    return this.finished;
  }

  private async moveAll(): Promise<void> {
    const deadlineMs = performance.now() + moveDeadlineMs;
    for (const [i, other] of this.parts.others.entries()) {
      while ((await this.move(other)) > 0 && performance.now() < deadlineMs) {
        await sleep(fullRetryMs, undefined, { ref: false });
      }
      if (i === 0) this.parts.otherFlows.remove(Buffer.alloc(4));
      closeSync(other.flows.shape.fd);
      removePins(other.folder);
    }
  }

  /** @returns how many records found no room. */
  private async move({ flows, records }: OtherLayout): Promise<number> {
    const own = this.parts.records;
    const keySources = gather(records.key, own.key, own.keySize);
    const valueSources = gather(records.value, own.value, own.valueSize);
    let seen = 0;
    let left = 0;
    for (const { key, value } of flows.entries()) {
      seen += 1;
      if (this.hasRoom(convertBytes(key, keySources), convertBytes(value, valueSources))) flows.remove(key);
      else left += 1;
      if (seen % turnSize === 0) await nextTurn();
    }
    return left;
  }

  /** A record that is there already was moved by a packet. */
  private hasRoom(key: Buffer, value: Buffer): boolean {
    try {
      this.parts.flows.insert(key, value);
      return true;
    } catch (error) {
      if (error instanceof ContrailError && error.code === 'RESOURCE_EXHAUSTED') return false;
      throw error;
    }
  }
}

function removePins(folder: string): void {
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
  rmdirSync(folder);
}

function wordOf(value: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(value);
  return word;
}
