// usage: node tools/build-app.mjs APP ; writes dist/apps/APP/main.js
import { bundle } from './bundle.mjs';

const app = process.argv[2];
if (!app) throw new Error('usage: node tools/build-app.mjs APP');
await bundle(`apps/${app}/src/main.ts`, `dist/apps/${app}/main.js`, { withPackages: true });
