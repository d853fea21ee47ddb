import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropReasons } from '../drop-reasons';
import * as flowStructs from './flow-structs';
import type { StructCodec } from './struct-codec';
import * as tableStructs from './table-structs';

const bpfFolder = join(__dirname, '../../../bpf');

interface BtfMember {
  name: string;
  bits_offset: number;
}
interface BtfType {
  kind: string;
  name: string;
  size?: number;
  members?: BtfMember[];
}

const isCodec = (value: unknown): value is StructCodec<unknown> =>
  typeof value === 'object' && value !== null && 'structName' in value;

const exported: unknown[] = [...Object.values(tableStructs), ...Object.values(flowStructs)];
const codecs = exported.filter(isCodec);

/** camelCase to the names of C; v4 and v6 stay one word. */
const toSnake = (name: string): string =>
  name.replace(/([A-Z])/g, (letter) => `_${letter.toLowerCase()}`);

const missingTool = ['clang', 'bpftool', 'llvm-strip'].find(
  (tool) => spawnSync(tool, ['--version']).error !== undefined,
);
const describeCompiled = missingTool === undefined ? describe : describe.skip;

describeCompiled(
  `layout of compiled structs${missingTool ? ` (skipped: no ${missingTool})` : ''}`,
  () => {
    let types: BtfType[] = [];

    beforeAll(() => {
      const out = mkdtempSync(join(tmpdir(), 'vrouter-layout-'));
      execFileSync(join(bpfFolder, 'build.sh'), [out]);
      const text = execFileSync('bpftool', [
        '-j',
        'btf',
        'dump',
        'file',
        join(out, 'vrouter.bpf.o'),
      ]);
      rmSync(out, { recursive: true });
    types = (JSON.parse(text.toString('utf8')) as { types: BtfType[] }).types;
    }, 60_000);

    test.each(codecs.map((codec) => [codec.structName, codec] as const))(
      'struct %s has the same size and offsets in C and in TypeScript',
      (name, codec) => {
        const type = types.find((each) => each.kind === 'STRUCT' && each.name === name);
        expect(type).toBeDefined();
        expect(codec.size).toBe(type?.size);
        const inC = Object.fromEntries(
          (type?.members ?? []).map((member) => [member.name, member.bits_offset / 8]),
        );
        const inTypeScript = Object.fromEntries(
          [...codec.fields].map(([field, place]) => [toSnake(field), place.offset]),
        );
        expect(inTypeScript).toEqual(inC);
      },
    );
  },
);

test('drop reasons have the same numbers and words in C and in TypeScript', () => {
  const header = readFileSync(join(bpfFolder, 'drop_reasons.h'), 'utf8');
  const inC = [...header.matchAll(/REASON\((\d+), \w+, "([^"]+)"\)/g)].map((match) => [
    Number(match[1]),
    match[2],
  ]);
  expect(inC.length).toBeGreaterThan(30);
  expect(inC).toEqual(dropReasons.map((name, number) => [number, name]).slice(1));
});
