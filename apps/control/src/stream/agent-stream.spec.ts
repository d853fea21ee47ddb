import { SyncResponse } from '@contrail/proto-gen/control/v1/messages';
import type { Batch } from '@contrail/proto-gen/control/v1/messages';
import { identityUnit } from '../compile/unit';
import { EntryRecord } from '../engine/entry-record';
import { EntryTable } from '../engine/entry-table';
import { AgentStream } from './agent-stream';

function identity(id: number): EntryRecord {
  const value = { id, name: `n${id}` };
  return new EntryRecord(identityUnit(String(id)), { entry: { kind: { $case: 'identity', value } }, scope: 'all' });
}

/** A stream in sync whose configuration stands at revision 1 while its steps go on. */
async function inSync(): Promise<{ stream: AgentStream; step(generation: number, id?: number): Promise<void>; batches: Batch[] }> {
  const published = { revision: 1n, isComplete: true, generation: 1 };
  const stream = new AgentStream({ node: 'node1', table: new EntryTable(), published: () => published, pendingMax: 10 });
  const batches: Batch[] = [];
  const end = new AbortController();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  stream.subscribe(new Set(['all']), { generation: 1, revisionBefore: 0n });
  void stream.run((message) => {
    const { kind } = SyncResponse.decode(message);
    if (kind?.$case === 'batch') batches.push(kind.value);
    return Promise.resolve();
  }, end.signal);
  await settle();
  const step = async (generation: number, id?: number): Promise<void> => {
    published.generation = generation;
    if (id !== undefined) {
      stream.offer({ before: undefined, after: identity(id), traces: [] }, { generation, revisionBefore: 1n });
    }
    stream.wakeIfDue();
    await settle();
  };
  return { stream, step, batches };
}

describe('hasProgrammed', () => {
  it('is true when the batch with the step is acknowledged, though the revision stands still', async () => {
    const { stream, step, batches } = await inSync();
    stream.acknowledge(1n, [], 0);
    await step(2, 1);
    expect(batches.map(({ sequence, revision }) => [sequence, revision])).toEqual([[1n, 1n]]);
    expect(stream.hasProgrammed(2)).toBe(false);
    stream.acknowledge(1n, [], 1);
    expect(stream.hasProgrammed(2)).toBe(true);
  });

  it('is true of an older step while a newer one is under way', async () => {
    const { stream, step } = await inSync();
    await step(2, 1);
    await step(3, 2);
    stream.acknowledge(1n, [], 1);
    expect([stream.hasProgrammed(2), stream.hasProgrammed(3)]).toEqual([true, false]);
  });

  it('is true of a step that does not concern the node', async () => {
    const { stream, step } = await inSync();
    stream.acknowledge(1n, [], 0);
    await step(2);
    expect(stream.hasProgrammed(2)).toBe(true);
  });

  it('is false before the agent acknowledged anything', async () => {
    const { stream } = await inSync();
    expect(stream.hasProgrammed(1)).toBe(false);
  });
});
