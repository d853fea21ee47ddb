// usage: node tools/bundle-program.mjs ENTRY OUTFILE ; ENTRY with our libraries, npm packages outside.
import { bundle } from './bundle.mjs';

const [entry, outfile] = process.argv.slice(2);
if (!entry || !outfile) throw new Error('usage: node tools/bundle-program.mjs ENTRY OUTFILE');
await bundle(entry, outfile);
