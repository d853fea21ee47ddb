import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { withLock } from '../../sandbox/src/lock';
import { say } from '../../sandbox/src/progress';
import type { Places } from './app-bundle';
import { packArchive, tagOf } from './archive';
import { parseArguments, usage, type Invocation } from './arguments';
import { planArchive, type Image } from './catalog';
import { ImageFailure } from './failure';

async function build(places: Places, invocation: Invocation): Promise<void> {
  const images: Image[] = [];
  for (const name of invocation.archives) {
    const plan = await planArchive(places, name);
    const { file, isNew } = packArchive(places, plan);
    say(`${path.basename(file)}: ${isNew ? 'written' : 'is up to date'} (${plan.images.length} images)`);
    process.stdout.write(`${file}\n`);
    images.push(...plan.images);
  }
  if (invocation.kustomizeFile === undefined) return;
  const component = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    images: images.map((image) => ({ name: image.name, newTag: tagOf(image) })),
  };
  writeFileSync(invocation.kustomizeFile, `${JSON.stringify(component, undefined, 2)}\n`);
}

function wordsOf(text = ''): string[] {
  return text.split(' ').filter((word) => word !== '');
}

async function main(): Promise<number> {
  const invocation = parseArguments(process.argv.slice(2));
  if (invocation.isHelp) {
    process.stdout.write(usage);
    return 0;
  }
  const cache = path.resolve(process.env.CONTRAIL_CACHE ?? '/var/cache/contrail');
  const places = { repository: path.resolve(process.env.CONTRAIL_ROOT ?? '.'), folder: path.join(cache, 'images'), bpfFlags: wordsOf(process.env.CONTRAIL_BPF_FLAGS) };
  mkdirSync(places.folder, { recursive: true });
  await withLock(path.join(cache, 'lock', 'our-images.lock'), 'building our images', () => build(places, invocation));
  return 0;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (thrown: unknown) => {
    const isExpected = thrown instanceof ImageFailure;
    const text = thrown instanceof Error ? ((isExpected ? undefined : thrown.stack) ?? thrown.message) : String(thrown);
    process.stderr.write(`images: ${text}\n`);
    process.exitCode = isExpected ? thrown.exitStatus : 1;
  },
);
