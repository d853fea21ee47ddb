/** The verifier's work on each program: it is most of the time that an agent needs to start. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missingForLab } from '../testing/lab';
import { loadBpfObject } from './bpf-object';
import { verifiedInstructionsOf } from './object-id';

const missing = missingForLab();
const describeKernel = missing === undefined ? describe : describe.skip;

describeKernel(`what the verifier walks${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vrouter-verified-'));
  const bpfFs = join(folder, 'bpf');

  beforeAll(() => {
    execFileSync(join(__dirname, '../../../bpf/build.sh'), [folder]);
    mkdirSync(bpfFs);
    execFileSync('mount', ['-t', 'bpf', 'bpf', bpfFs]);
  }, 60_000);

  afterAll(() => {
    execFileSync('umount', [bpfFs]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is thousands of instructions of the fast path, and far from a million of the slow one', () => {
    const object = loadBpfObject({
      objectFile: join(folder, 'vrouter.bpf.o'),
      pinPath: join(bpfFs, 'contrail'),
      maxEntries: { flows_v4: 1024 },
      transient: [],
      perCpu: [],
      withoutPrograms: [],
      prepare: () => undefined,
    });
    for (const hook of ['pod', 'tunnel', 'uplink', 'host', 'loopback']) {
      const fast = verifiedInstructionsOf(object.getProgramFd(hook));
      const slow = verifiedInstructionsOf(object.getProgramFd(`${hook}_slow`));
      expect([hook, fast > 500 && fast < 10_000, slow > 10_000 && slow < 200_000, fast, slow]).toEqual([hook, true, true, fast, slow]);
    }
  }, 60_000);
});
