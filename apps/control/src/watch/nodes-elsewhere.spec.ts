import type { NodeProgress } from '@contrail/proto-gen/config/v1/messages';
import { ManualClock } from '../../testing/manual-clock';
import { NodesElsewhere } from './nodes-elsewhere';

const goal = (revision: bigint, stage: 'made' | 'moved' = 'made') => ({ generation: 1, stage, revision });
const progressOf = (node: string, madeRevision: bigint, movedRevision: bigint): NodeProgress => ({
  ...{ node, madeRevision, movedRevision },
  ...{ revision: 0n, exceptions: [], reportedAtMs: 0n },
});
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('nodes at other replicas', () => {
  let here: Set<string>;
  let isNeeded: boolean;
  let answers: (NodeProgress[] | Error)[];
  let asked: number;
  let progressed: number;
  let clock: ManualClock;
  let stopping: AbortController;
  let running: Promise<void>;
  let elsewhere: NodesElsewhere;

  beforeEach(() => {
    [here, isNeeded, answers, asked, progressed] = [new Set(['node1']), true, [], 0, 0];
    clock = new ManualClock();
    stopping = new AbortController();
    elsewhere = new NodesElsewhere({
      nodes: () => ['node1', 'node2', 'node3'],
      isHere: (node) => here.has(node),
      isNeeded: () => isNeeded,
      ask: () => {
        asked += 1;
        const answer = answers.shift() ?? [];
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      onProgress: () => (progressed += 1),
      clock,
    });
    running = elsewhere.run(stopping.signal);
  });

  afterEach(async () => {
    stopping.abort();
    await clock.pass(1_000);
    await running;
  });

  it('are those whose agents are not here, each with what its replica reported', async () => {
    const nodes = [...elsewhere.list()];
    expect(nodes.map((node) => node.hasReached(goal(1n)))).toEqual([false, false]);
    answers.push([progressOf('node2', 5n, 4n), progressOf('node3', 4n, 4n), progressOf('node1', 1n, 1n)]);
    elsewhere.note();
    await settle();
    expect([...elsewhere.list()]).toEqual(nodes);
    expect(nodes.map((node) => node.hasReached(goal(5n)))).toEqual([true, false]);
    expect(nodes.map((node) => [node.hasReached(goal(4n, 'moved')), node.hasReached(goal(5n, 'moved'))])).toEqual([[true, false], [true, false]]);
    expect(progressed).toBe(1);
  });

  it('are asked for again while somebody waits, also after an error, and not otherwise', async () => {
    answers.push(new Error('config-api is away'), [progressOf('node2', 5n, 5n)]);
    elsewhere.note();
    await settle();
    expect([asked, progressed]).toEqual([1, 0]);
    await clock.pass(50);
    expect([asked, progressed]).toEqual([2, 1]);
    isNeeded = false;
    await clock.pass(50);
    elsewhere.note();
    await clock.pass(50);
    expect(asked).toBe(2);
  });

  it('cost nothing when every agent is here', async () => {
    here = new Set(['node1', 'node2', 'node3']);
    elsewhere.note();
    await settle();
    expect([asked, elsewhere.isEmpty]).toEqual([0, true]);
  });
});
