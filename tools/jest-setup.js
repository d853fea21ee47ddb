// Property tests run with a fixed seed, so that a failure is repeatable; SEED=random (npm run soak)
// lets them wander, SEED=<number> repeats a run.
const fc = require('fast-check');

const seed = process.env.SEED;
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed ?? 20_261_123) });
