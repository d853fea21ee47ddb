import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { ensureBuilt, type Places } from './app-bundle';
import { packArchive, tagOf } from './archive';
import { parseArguments } from './arguments';
import type { ArchivePlan, Image } from './catalog';
import { layerOf } from './layer';
import { productionModulesLayer } from './production-modules';

let folder = '';
let places: Places = { repository: '', folder: '', bpfFlags: [] };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'images-'));
  places = { repository: path.join(folder, 'repository'), folder: path.join(folder, 'images'), bpfFlags: [] };
  mkdirSync(places.repository);
  mkdirSync(places.folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a file of the repository. @returns its path. */
function write(name: string, content: string): string {
  const file = path.join(places.repository, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

function imageOf(name: string, source: string): Image {
  return { name: `localhost/contrail/${name}`, layers: [layerOf([{ source, target: '/app/main.js' }])], config: {} };
}

describe('parseArguments', () => {
  it.each([
    { words: [], archives: ['contrail'] },
    { words: ['jaeger'], archives: ['jaeger'] },
    { words: ['contrail', 'jaeger'], archives: ['contrail', 'jaeger'] },
    { words: ['--kustomize', 'x.yaml'], archives: ['contrail'], kustomizeFile: 'x.yaml' },
  ])('$words', ({ words, archives, ...more }) => {
    expect(parseArguments(words)).toEqual({ archives, isHelp: false, ...more });
  });

  it.each([
    { words: ['redis'], message: '"redis" is no archive; write any of contrail, jaeger' },
    { words: ['--kustomize'], message: '--kustomize: needs the path of a file' },
  ])('refuses $words', ({ words, message }) => {
    expect(() => parseArguments(words)).toThrow(message);
  });
});

describe('tags', () => {
  it('follow the content and the configuration of the image', () => {
    const file = write('main.js', 'one');
    const before = tagOf(imageOf('dns', file));
    expect(tagOf(imageOf('dns', file))).toBe(before);
    expect(tagOf({ ...imageOf('dns', file), config: { Cmd: ['x'] } })).not.toBe(before);
    writeFileSync(file, 'another');
    expect(tagOf(imageOf('dns', file))).not.toBe(before);
  });
});

describe('packArchive', () => {
  it('writes an archive that names its images by tag, and writes it again only for other content', () => {
    const file = write('main.js', 'one');
    const plan = (): ArchivePlan => ({ name: 'contrail', images: [imageOf('dns', file)] });
    const first = packArchive(places, plan());
    expect(first.isNew).toBe(true);
    const manifest = JSON.parse(execFileSync('tar', ['-xOf', first.file, 'manifest.json'], { encoding: 'utf8' })) as unknown;
    expect(manifest).toMatchObject([{ RepoTags: [`localhost/contrail/dns:${tagOf(imageOf('dns', file))}`] }]);
    expect(packArchive(places, plan())).toEqual({ file: first.file, isNew: false });
    writeFileSync(file, 'another');
    const second = packArchive(places, plan());
    expect([second.isNew, second.file === first.file, existsSync(first.file)]).toEqual([true, false, true]);
  });

  it('keeps the latest archives only', () => {
    const file = write('main.js', '');
    for (let i = 0; i < 5; i++) {
      writeFileSync(file, 'x'.repeat(i));
      packArchive(places, { name: 'contrail', images: [imageOf('dns', file)] });
    }
    expect(readdirSync(places.folder).filter((name) => name.endsWith('.tar'))).toHaveLength(3);
  });
});

describe('ensureBuilt', () => {
  it('builds only when a source changed, and not for tests', async () => {
    let builds = 0;
    const build = (): Promise<string> =>
      ensureBuilt(places, 'dns', ['apps/dns/src'], () => {
        builds += 1;
        write('dist/apps/dns/main.js', `build ${builds}`);
        return Promise.resolve();
      });
    write('apps/dns/src/main.ts', 'one');
    const first = await build();
    utimesSync(path.join(places.repository, 'apps/dns/src/main.ts'), new Date(), new Date());
    write('apps/dns/src/main.spec.ts', 'a test');
    expect(await build()).toBe(first);
    write('apps/dns/src/main.ts', 'two');
    const second = await build();
    expect([builds, second === first, readFileSync(path.join(second, 'main.js'), 'utf8')]).toEqual([2, false, 'build 2']);
  });
});

describe('productionModulesLayer', () => {
  it('takes what programs load: no development packages, types, maps or ES modules of OpenTelemetry', () => {
    write('package-lock.json', JSON.stringify({
      packages: { '': {}, 'node_modules/a': {}, 'node_modules/b': { dev: true }, 'node_modules/a/node_modules/c': {}, 'node_modules/mac': { optional: true } },
    }));
    write('node_modules/.package-lock.json', '{}');
    for (const file of ['a/index.js', 'a/index.d.ts', 'a/index.js.map', 'a/README.md', 'a/LICENSE', 'a/build/esm/x.js', 'a/build/src/x.js', 'a/node_modules/c/c.js', 'b/b.js']) {
      write(`node_modules/${file}`, file);
    }
    const layer = productionModulesLayer(places.repository);
    const targets = 'entries' in layer ? layer.entries.map(({ target }) => target).sort() : [];
    const root = '/opt/contrail/node_modules';
    expect(targets).toEqual([`${root}/a/LICENSE`, `${root}/a/build/src/x.js`, `${root}/a/index.js`, `${root}/a/node_modules/c/c.js`]);
  });

  it('names a package that is not installed', () => {
    write('package-lock.json', JSON.stringify({ packages: { 'node_modules/a': {} } }));
    expect(() => productionModulesLayer(places.repository)).toThrow('node_modules/a: is not installed; run "npm ci"');
  });
});
