// Bundles one entry point with our libraries.
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

/** Those read files beside their own; grpc-js must be the same for all of them. */
const neverBundled = ['@grpc/grpc-js', '@grpc/proto-loader', '@grpc/reflection', 'grpc-health-check', 'koffi'];

/** @param withPackages takes npm packages in, too: a process then starts in half the time. */
export function bundle(entryPoint, outfile, { withPackages = false } = {}) {
  return build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    ...(withPackages ? { external: neverBundled } : { packages: 'external' }),
    sourcemap: 'linked',
    logLevel: 'warning',
    tsconfig: 'tsconfig.base.json',
    plugins: [ownLibraries],
  });
}
