import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { writeImageArchive, writeImagesArchive, type ImageSpec } from './image-archive';

let folder = '';
let layerCache = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'image-archive-'));
  layerCache = path.join(folder, 'layers');
  writeFileSync(path.join(folder, 'program'), '#!/bin/sh\n', { mode: 0o700 });
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function image(tag: string, own: string): ImageSpec {
  const base = { source: path.join(folder, 'program'), target: '/usr/bin/program' };
  return {
    tag,
    layers: [{ entries: [base] }, { entries: [{ content: own, target: '/etc/own' }] }],
    config: { Entrypoint: ['/usr/bin/program'], Env: ['A=1'], User: '65532' },
  };
}

function list(archive: string): string[] {
  return execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).trim().split('\n');
}

function read(archive: string, name: string): Buffer {
  return execFileSync('tar', ['-xOf', archive, name]);
}

describe('image archives', () => {
  it('name their configuration and layers by their hashes', () => {
    const out = path.join(folder, 'a.tar');
    writeImageArchive({ ...image('example/a:1', 'a'), out, layerCache });
    const [entry] = JSON.parse(read(out, 'manifest.json').toString()) as {
      Config: string;
      RepoTags: string[];
      Layers: string[];
    }[];
    expect(entry?.RepoTags).toEqual(['example/a:1']);
    const config = read(out, entry?.Config ?? '');
    const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
    expect(entry?.Config).toBe(`${sha256(config)}.json`);
    const diffIds = entry?.Layers.map((layer) => `sha256:${sha256(read(out, layer))}`);
    expect(JSON.parse(config.toString())).toMatchObject({
      config: { Entrypoint: ['/usr/bin/program'], Env: ['A=1'], User: '65532' },
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: diffIds },
    });
  });

  it('are equal for equal input, whatever the time stamps and the cache', () => {
    const [first, second] = ['1.tar', '2.tar'].map((name) => path.join(folder, name));
    writeImageArchive({ ...image('example/a:1', 'a'), out: first ?? '', layerCache });
    utimesSync(path.join(folder, 'program'), 1, 1);
    writeImageArchive({
      ...image('example/a:1', 'a'),
      out: second ?? '',
      layerCache: `${layerCache}-2`,
    });
    expect(readFileSync(first ?? '').equals(readFileSync(second ?? ''))).toBe(true);
  });

  it('are not written again unless the content changed', () => {
    const out = path.join(folder, 'a.tar');
    expect(writeImageArchive({ ...image('example/a:1', 'a'), out, layerCache })).toBe(true);
    expect(writeImageArchive({ ...image('example/a:1', 'a'), out, layerCache })).toBe(false);
    expect(writeImageArchive({ ...image('example/a:1', 'b'), out, layerCache })).toBe(true);
  });

  it('store a layer that several images share once', () => {
    const out = path.join(folder, 'both.tar');
    writeImagesArchive([image('example/a:1', 'a'), image('example/b:1', 'b')], { out, layerCache });
    expect(list(out).filter((name) => name.endsWith('/layer.tar'))).toHaveLength(3);
  });

  it('give files to root and keep only whether they are programs', () => {
    const out = path.join(folder, 'a.tar');
    writeImageArchive({ ...image('example/a:1', 'a'), out, layerCache });
    const [entry] = JSON.parse(read(out, 'manifest.json').toString()) as { Layers: string[] }[];
    const layer = path.join(folder, 'layer.tar');
    writeFileSync(layer, read(out, entry?.Layers[0] ?? ''));
    const lines = execFileSync('tar', ['-tvf', layer, '--utc'], { encoding: 'utf8' });
    expect(lines).toMatch(/-rwxr-xr-x 0\/0 +\d+ 1970-01-01 00:00 usr\/bin\/program/);
  });
});
