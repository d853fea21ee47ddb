import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const sandboxName = process.env['SANDBOX'] ?? 'contrail-test';

interface Step {
  readonly title: string;
  readonly commands: string;
  /** Lines that the output has, in this order; `…` stands for anything. */
  readonly lines: readonly string[];
}

/** The blocks of commands of a document, each with the block of expected lines that follows. */
function readSteps(file: string): Step[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const parts = text.matchAll(/^## (.*)$|^```sh\n([^]*?)^```\n(?:\n```text\n([^]*?)^```\n)?/gm);
  let title = '';
  return [...parts].flatMap(([, heading, commands, output = '']): Step[] => {
    if (heading !== undefined) title = heading;
    if (commands === undefined) return [];
    return [{ title, commands, lines: output.split('\n').filter((line) => line !== '') }];
  });
}

const mark = (i: number): string => `--- step ${i} ---`;

/** Runs all steps in one shell. @returns the output of each. */
async function run(steps: readonly Step[]): Promise<string[]> {
  const script = steps.map(({ commands }, i) => `echo '${mark(i)}'\n${commands}`).join('\n');
  const ours = script.replaceAll('tools/sandbox/sandbox', `tools/sandbox/sandbox --name ${sandboxName}`);
  const output = await new Promise<string>((resolve, reject) => {
    const shell = spawn('bash', ['-c', `exec 2>&1\n${ours}`], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    shell.on('error', reject);
    shell.on('close', () => resolve(text));
  });
  return steps.map((_, i) => output.split(`${mark(i)}\n`)[1]?.split(mark(i + 1))[0] ?? '');
}

function toPattern(line: string): RegExp {
  return new RegExp(line.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*'));
}

describe.each(['docs/tutorial-administrator.md', 'docs/tutorial-two-tenants.md'])('%s', (file) => {
  const steps = readSteps(file);
  let outputs: string[] = [];

  beforeAll(async () => {
    outputs = await run(steps);
  }, 600_000);

  it.each(steps.map((step, i) => [`${i + 1}: ${step.title}`, step.lines, i] as const))('says what it shows, step %s', (_, lines, i) => {
    let rest = (outputs[i] ?? '').split('\n');
    for (const line of lines) {
      const at = rest.findIndex((candidate) => toPattern(line).test(candidate));
      if (at < 0) throw new Error(`no line like\n${line}\nin what is left of step ${i + 1}:\n${rest.join('\n')}`);
      rest = rest.slice(at + 1);
    }
    expect(lines.length).toBeGreaterThan(0);
  });
});
