import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { scripts } from './scripts';

describe('the script for bash', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'completion-'));
  beforeAll(() => {
    const stub = path.join(folder, 'contrailctl');
    // Says what it was asked, and three candidates.
    writeFileSync(stub, '#!/bin/sh\necho "$@" > "$ASKED"\nprintf "default-domain:p:blue\\ndefault-domain:p:black\\nget\\n:4\\n"\n');
    chmodSync(stub, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns what contrailctl was asked, and what bash offers. */
  function press(line: string): string[] {
    const asked = path.join(folder, 'asked');
    const program = `${scripts.bash}
COMP_LINE="$1" COMP_POINT=\${#1}
_contrailctl
cat "$ASKED"
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}`, ASKED: asked };
    return execFileSync('bash', ['-c', program, 'bash', line], { env, encoding: 'utf8' }).trimEnd().split('\n');
  }

  it.each<[string, string[]]>([
    ['contrailctl ge', ['__complete ge', 'default-domain:p:blue', 'default-domain:p:black', 'get']],
    // The shell replaces only what follows the last colon.
    ['contrailctl get vn default-domain:p:b', ['__complete get vn default-domain:p:b', 'blue', 'black', 'get']],
  ])('%s', (line, want) => {
    expect(press(line)).toEqual(want);
  });

  it('asks for a new word after a blank', () => {
    expect(press('contrailctl get ')[0]).toBe('__complete get ');
  });
});
