// Bundles one entry point with our libraries; npm packages stay external, so that OpenTelemetry can
// patch them and native files are found.
import { build } from 'esbuild';

const ownLibraries = {
  name: 'own-libraries',
  setup(b) {
    b.onResolve({ filter: /^@contrail\// }, (args) => {
      const gen = /^@contrail\/proto-gen\/(.*)$/.exec(args.path);
      const file = gen ? `libs/proto-gen/src/contrail/${gen[1]}.ts` : `libs/${args.path.slice('@contrail/'.length)}/src/index.ts`;
      return { path: new URL(`../${file}`, import.meta.url).pathname };
    });
  },
};

export function bundle(entryPoint, outfile) {
  return build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'warning',
    tsconfig: 'tsconfig.base.json',
    plugins: [ownLibraries],
  });
}
