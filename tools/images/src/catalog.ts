import { existsSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import type { ImageConfig, LayerEntry } from '../../sandbox/src/image-archive';
import { ensureBuilt, ensureBundle, runInRepository, type Places } from './app-bundle';
import { ImageFailure } from './failure';
import { contentOf, fingerprint } from './fingerprint';
import { layerOf, type Layer } from './layer';
import { baseLayer, libbpfLayer, redisLayer, unprivilegedUser } from './machine-layers';
import { productionModulesLayer } from './production-modules';

/** An image ready to be packed; `name` as the manifests in k8s/ write it. */
export interface Image {
  readonly name: string;
  /** Bottom first. */
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

/** Images of one archive; layers that they share are stored in it once. */
export interface ArchivePlan {
  readonly name: ArchiveName;
  readonly images: readonly Image[];
}

export const registry = 'localhost/contrail';
const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'NODE_ENV=production'];

/** Apps whose image holds a bundle and nothing else of its own. */
export const plainApps = ['config-api', 'ipam', 'kube-manager', 'control', 'dns', 'contrailctl'] as const;

/** Where the agent's image has what it brings besides its bundle. */
export const agentFiles = {
  contrailctl: '/usr/local/bin/contrailctl',
  shim: '/opt/contrail/cni/contrail-cni',
  datapath: '/opt/contrail/bpf/vrouter.bpf.o',
} as const;

/** The program `contrailctl` in the agent's image. */
export const contrailctlScript = '#!/bin/sh\nexec node /opt/contrail/contrailctl/main.js "$@"\n';

/** The bundle that an image runs. */
export const bundleOf = (app: string): string => `/opt/contrail/${app}/main.js`;

/** The archives that can be asked for: everything but Jaeger is in one. */
export const archiveNames = ['contrail', 'jaeger'] as const;
export type ArchiveName = (typeof archiveNames)[number];

/** Builds what is missing and describes the images of one archive. */
export function planArchive(places: Places, name: ArchiveName): Promise<ArchivePlan> {
  switch (name) {
    case 'contrail':
      return planContrail(places);
    case 'jaeger':
      return Promise.resolve(planJaeger(places));
  }
}

async function planContrail(places: Places): Promise<ArchivePlan> {
  const shared = [baseLayer(), productionModulesLayer(places.repository)];
  const images: Image[] = [];
  for (const app of plainApps) {
    const bundle = await ensureBundle(places, app);
    images.push(appImage(app, [...shared, bundleLayer(app, bundle)]));
  }
  images.push(await agentImage(places, shared));
  images.push({
    name: `${registry}/redis`,
    layers: [...shared.slice(0, 1), redisLayer()],
    config: { Entrypoint: ['/usr/bin/redis-server'], Env: environment, WorkingDir: '/data', User: unprivilegedUser },
  });
  return { name: 'contrail', images };
}

function appImage(app: string, layers: readonly Layer[]): Image {
  const isAgent = app === 'vrouter-agent';
  // Source maps lie beside the bundles for NODE_OPTIONS=--enable-source-maps; reading them at each start takes too long.
  const program = ['/usr/local/bin/node', bundleOf(app)];
  return {
    name: `${registry}/${app}`,
    layers,
    config: { Entrypoint: program, Env: environment, ...(isAgent ? {} : { User: unprivilegedUser }) },
  };
}

/** The agent brings its eBPF object, the CNI plugin that it installs on the node, and contrailctl. */
async function agentImage(places: Places, shared: readonly Layer[]): Promise<Image> {
  const app = 'vrouter-agent';
  const bundle = await ensureBundle(places, app);
  const programs = [`${app}-datapath`, ...places.bpfFlags.map((flag) => flag.replaceAll(/\W/g, '_'))].join('-');
  const datapath = await ensureBuilt(places, programs, [`apps/${app}/bpf`], () =>
    runInRepository(places, 'bash', [`apps/${app}/bpf/build.sh`, `dist/apps/${programs}`, ...places.bpfFlags]),
  );
  const cni = await ensureBuilt(places, 'cni', ['apps/cni'], () =>
    runInRepository(places, 'bash', ['apps/cni/build.sh', 'dist/apps/cni']),
  );
  const contrailctl = await ensureBundle(places, 'contrailctl');
  return appImage(app, [
    ...shared,
    libbpfLayer(),
    bundleLayer('contrailctl', contrailctl, [
      { content: contrailctlScript, target: agentFiles.contrailctl, mode: 0o755 },
      { source: path.join(cni, 'contrail-cni'), target: agentFiles.shim, mode: 0o755 },
      { source: path.join(datapath, 'vrouter.bpf.o'), target: agentFiles.datapath, mode: 0o644 },
    ]),
    bundleLayer(app, bundle),
  ]);
}

/** A bundle in /opt/contrail/<app>, identified by its content: a source that changes nothing in it changes no image. */
function bundleLayer(app: string, bundle: string, more: readonly LayerEntry[] = []): Layer {
  const entries = [
    ...readdirSync(bundle).map((file) => ({
      source: path.join(bundle, file),
      target: `/opt/contrail/${app}/${file}`,
      mode: 0o644,
    })),
    ...more,
  ];
  const described = entries.map((entry) => ('source' in entry ? [entry.target, contentOf([entry.source])] : entry));
  return { key: fingerprint(described), entries };
}

/** Jaeger all-in-one from the sandbox's build. */
function planJaeger(places: Places): ArchivePlan {
  const binaries = path.join(path.dirname(places.folder), 'bin');
  const folders = existsSync(binaries) ? readdirSync(binaries) : [];
  const folder = folders.find((name) => name.startsWith('jaeger-') && !name.endsWith('.partial'));
  if (folder === undefined) {
    throw new ImageFailure('jaeger: is not built yet; run "tools/sandbox/sandbox build jaeger"');
  }
  const binary = path.join(binaries, folder, 'jaeger-all-in-one');
  const layer = layerOf([
    { source: binary, target: '/jaeger-all-in-one', mode: 0o755 },
    { folder: true, target: '/tmp', mode: 0o1777 },
  ]);
  const config = { Entrypoint: ['/jaeger-all-in-one'], Env: environment, User: unprivilegedUser };
  return { name: 'jaeger', images: [{ name: `${registry}/jaeger`, layers: [layer], config }] };
}
