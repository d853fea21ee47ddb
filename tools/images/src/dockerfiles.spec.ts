import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { agentFiles, bundleOf, contrailctlScript, plainApps, registry } from './catalog';

const repository = path.resolve(__dirname, '../../..');
const folder = path.join(repository, 'k8s/docker');

interface Instruction {
  readonly keyword: string;
  readonly text: string;
}

/** Instructions with their continuation lines joined, without comments. */
function instructionsOf(file: string): Instruction[] {
  const lines = readFileSync(path.join(folder, file), 'utf8').replace(/^#.*\n/gm, '').replaceAll('\\\n', ' ').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => {
    const [keyword = '', ...rest] = line.split(' ');
    return { keyword, text: rest.join(' ').trim() };
  });
}

const textsOf = (file: string, keyword: string): string[] =>
  instructionsOf(file).filter((instruction) => instruction.keyword === keyword).map(({ text }) => text);

/** Sources and destination of a COPY. */
function copyOf(text: string): { from: string | undefined; sources: string[]; destination: string } {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const files = words.filter((word) => !word.startsWith('--'));
  return { from, sources: files.slice(0, -1), destination: files.at(-1) ?? '' };
}

const files = readdirSync(folder).filter((name) => name.endsWith('.Dockerfile'));

describe.each(files)('%s', (file) => {
  const copies = textsOf(file, 'COPY').map(copyOf);
  const runs = textsOf(file, 'RUN').join(' && ');

  it('copies only what the repository has', () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources.filter((source) => !existsSync(path.join(repository, source)))).toEqual([]);
  });

  it('runs only scripts that the repository has', () => {
    const scripts = [...runs.matchAll(/\b(?:bash|node) ((?:apps|tools)\/\S+)/g)].map(([, script = '']) => script);
    expect(scripts.filter((script) => !existsSync(path.join(repository, script)))).toEqual([]);
  });

  it('copies from the build stage only what that makes', () => {
    const made = (source: string): boolean => {
      const app = /^\/src\/dist\/apps\/(.+)$/.exec(source)?.[1];
      if (app !== undefined) return runs.includes(`build-app.mjs ${app}`) || runs.includes(`build-app.mjs "${app.replace(/[{}]/g, '')}"`);
      const output = /^\/src\/(dist\/[^/]+)\/[^/]+$/.exec(source)?.[1];
      return output === undefined ? source === '/src/node_modules' && runs.includes('npm ci') : runs.includes(`build.sh ${output}`);
    };
    const sources = copies.filter(({ from }) => from === 'build').flatMap((copy) => copy.sources);
    expect(sources.filter((source) => !made(source))).toEqual([]);
  });
});

describe('Dockerfiles and local images agree', () => {
  it('on the apps that have a Dockerfile', () => {
    const named = /One of the plain apps: ([^.]+)\./.exec(readFileSync(path.join(folder, 'app.Dockerfile'), 'utf8'))?.[1];
    expect(named?.split(', ').sort()).toEqual([...plainApps].sort());
  });

  it('on the program that an app runs', () => {
    const app = '${APP}';
    expect(copyOf(textsOf('app.Dockerfile', 'COPY').at(-1) ?? '').destination).toBe(path.dirname(bundleOf(app)));
    expect(textsOf('app.Dockerfile', 'RUN').at(-1)).toBe(`ln -s ${bundleOf(app)} /opt/contrail/main.js`);
    expect(textsOf('app.Dockerfile', 'ENTRYPOINT')).toEqual(['["node", "/opt/contrail/main.js"]']);
    expect(textsOf('vrouter-agent.Dockerfile', 'ENTRYPOINT')).toEqual([`["node", "${bundleOf('vrouter-agent')}"]`]);
    expect(textsOf('redis.Dockerfile', 'ENTRYPOINT')).toEqual(['["/usr/bin/redis-server"]']);
  });

  it("on what is in the agent's image", () => {
    const destinations = textsOf('vrouter-agent.Dockerfile', 'COPY').map((text) => copyOf(text).destination);
    expect(destinations).toEqual(expect.arrayContaining([agentFiles.shim, agentFiles.datapath, path.dirname(bundleOf('contrailctl')), path.dirname(bundleOf('vrouter-agent'))]));
    const script = textsOf('vrouter-agent.Dockerfile', 'RUN').join(' ');
    expect(script).toContain(`printf '${contrailctlScript.replaceAll('\n', '\\n')}' > ${agentFiles.contrailctl}`);
    expect(script).toContain(`chmod 755 ${agentFiles.contrailctl}`);
  });

  it('with the manifests on the names of the images', () => {
    const base = path.join(repository, 'k8s/base');
    const manifests = readdirSync(base).map((name) => readFileSync(path.join(base, name), 'utf8')).join('\n');
    const used = new Set([...manifests.matchAll(/image: (\S+)/g)].map(([, image = '']) => image));
    const built = new Set([...plainApps, 'vrouter-agent', 'redis'].map((app) => `${registry}/${app}`));
    expect([...used].filter((image) => !built.has(image))).toEqual([]);
    const [production] = parseAllDocuments(readFileSync(path.join(repository, 'k8s/overlays/production/kustomization.yaml'), 'utf8'));
    const { images } = production?.toJS() as { images: { name: string }[] };
    expect(images.map(({ name }) => name).sort()).toEqual([...used].sort());
  });
});
