import { setTimeout as sleep } from 'node:timers/promises';
import { mayReach, modes } from '../src/matrix/expected-reach';
import type { Mode, Modes } from '../src/matrix/expected-reach';
import { MatrixWorld } from '../src/matrix/matrix-world';
import type { Beaten, Prober, Target } from '../src/matrix/matrix-world';
import { setMode } from '../src/matrix/set-mode';
import { seededRandom, sized } from '../src/seeded';

const steps = sized('TENANT_STEPS', 10);
const seed = sized('TENANT_SEED', 20_261_101);

jest.setTimeout(3_600_000);

/** How long steady traffic runs before a switch, and after it is complete. */
const settleMs = 1000;

describe('reachability matrix', () => {
  let world: MatrixWorld;
  let now: Record<string, Mode>;
  beforeAll(async () => {
    world = await MatrixWorld.make(['walk-a', 'walk-b', 'walk-c', 'walk-d']);
    now = Object.fromEntries(world.namespaces.map((namespace) => [namespace, 'open']));
  });
  afterAll(() => world.remove());

  it('is complete without isolation', async () => {
    expect(await differences(world, now)).toEqual([]);
  });

  it(`holds after each of ${steps} random switches (seed ${seed}); nothing forbidden passes`, async () => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    for (let step = 1; step <= steps; step += 1) {
      const namespace = pick(world.namespaces);
      const mode = pick(modes.filter((candidate) => candidate !== now[namespace]));
      const after = { ...now, [namespace]: mode };
      const title = `step ${step}: ${namespace} ${now[namespace]} -> ${mode}`;
      expect({ title, problems: await switchUnderTraffic(world, now, after, namespace) }).toEqual({ title, problems: [] });
      expect({ title, problems: await differences(world, after) }).toEqual({ title, problems: [] });
      now = after;
    }
  });
});

/** Compares every cell with what should be. */
async function differences(world: MatrixWorld, modesNow: Modes): Promise<string[]> {
  const rows = await Promise.all(
    world.probers.map(async (prober) => {
      const answers = await world.probe(prober, world.targets);
      return answers.flatMap(({ name, tcp, udp }, index) => {
        const target = world.targets[index];
        if (target?.name !== name) throw new Error(`${prober.name}: answered for ${name}`);
        const allowed = mayReach(modesNow, prober.caller, target.callee);
        return Object.entries({ tcp, udp }).flatMap(([protocol, answer]) => {
          const isRight = allowed ? target.answerers.includes(answer) : answer.startsWith('!');
          return isRight ? [] : [`${prober.name} -> ${name} ${protocol}: ${answer}, should be ${allowed ? 'reached' : 'refused'}`];
        });
      });
    }),
  );
  return rows.flat();
}

/** Switches one namespace while every prober sends to every target. @returns what went wrong meanwhile. */
async function switchUnderTraffic(world: MatrixWorld, before: Modes, after: Modes, namespace: string): Promise<string[]> {
  const isAllowed = (prober: Prober, target: Target, modesThen: Modes): boolean => mayReach(modesThen, prober.caller, target.callee);
  await Promise.all(
    world.probers.map((prober) =>
      world.beat(
        prober,
        world.targets.map((target) => ({
          name: target.name,
          address: target.address,
          hold: isAllowed(prober, target, before),
          dial: isAllowed(prober, target, before) && isAllowed(prober, target, after),
        })),
      ),
    ),
  );
  const began = Date.now();
  await sleep(settleMs);
  await setMode(namespace, after[namespace] ?? 'open');
  const switched = Date.now();
  await sleep(settleMs);
  const ended = Date.now();
  const beaten = await Promise.all(world.probers.map((prober) => world.beaten(prober)));
  const arrived = await Promise.all(world.probers.map((prober) => world.received(prober, began)));
  await Promise.all(world.probers.map((prober) => world.beat(prober, [])));
  const problems: string[] = [];
  for (const [index, prober] of world.probers.entries()) {
    const traffic = beaten[index];
    if (traffic === undefined) continue;
    for (const target of world.targets) {
      const allowed = [before, after].map((modesThen) => isAllowed(prober, target, modesThen));
      const line = `${prober.name} ${target.name}`;
      const times = arrived.flatMap((lines) => lines[line] ?? []).filter((time) => time <= ended);
      problems.push(...judge(line, allowed, times, traffic, target, switched));
    }
  }
  return problems;
}

/** What of the traffic from one prober to one target does not fit. */
function judge(line: string, [was, is]: readonly boolean[], times: readonly number[], traffic: Beaten, target: Target, switched: number): string[] {
  const problems: string[] = [];
  if (!was && !is && times.length > 0) problems.push(`${line}: ${times.length} forbidden datagrams arrived`);
  if (!is && times.some((time) => time > switched + 100)) problems.push(`${line}: datagrams still arrive ${Math.max(...times) - switched} ms after the switch`);
  if (was && is && times.length === 0) problems.push(`${line}: no datagram arrived`);
  return [...problems, ...judgeConnections(line, [was, is], traffic, target, switched)];
}

function judgeConnections(line: string, [was, is]: readonly (boolean | undefined)[], traffic: Beaten, target: Target, switched: number): string[] {
  const problems: string[] = [];
  const held = traffic.held[target.name];
  if (was && is && held?.ended !== '') problems.push(`${line}: the connection ended: ${held?.ended ?? 'never opened'}`);
  if (was && is && held !== undefined && held.lastEcho <= switched) problems.push(`${line}: the connection is silent since ${switched - held.lastEcho} ms before the switch was over`);
  if (was && !is && held !== undefined && held.lastEcho > switched + 100) problems.push(`${line}: the connection goes on ${held.lastEcho - switched} ms after the switch`);
  for (const failure of traffic.dialled[target.name]?.failures ?? []) problems.push(`${line}: a new connection failed ${failure.began - switched} ms after the switch: ${failure.error}`);
  return problems;
}
