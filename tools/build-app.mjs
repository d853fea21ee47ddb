// Bundles apps/<app>/src/main.ts with our libraries into dist/apps/<app>/main.js; npm packages stay
// external so that OpenTelemetry can patch them and native files are found.
import { build } from 'esbuild';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/build-app.mjs APP');
await build({
  entryPoints: [`apps/${app}/src/main.ts`],
  outfile: `dist/apps/${app}/main.js`,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  sourcemap: 'linked',
  logLevel: 'warning',
  tsconfig: 'tsconfig.base.json',
  plugins: [
    {
      name: 'own-libraries',
      setup(b) {
        b.onResolve({ filter: /^@contrail\// }, (args) => {
          const gen = /^@contrail\/proto-gen\/(.*)$/.exec(args.path);
          const file = gen ? `libs/proto-gen/src/contrail/${gen[1]}.ts` : `libs/${args.path.slice(10)}/src/index.ts`;
          return { path: new URL(`../${file}`, import.meta.url).pathname };
        });
      },
    },
  ],
});
