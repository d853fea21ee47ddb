import type { Entry } from '@contrail/proto-gen/control/v1/messages';
import { identityUnit, routeUnit, vrfUnit } from '../compile/unit';
import { EntryRecord } from '../engine/entry-record';
import type { Trace } from '../engine/entry-table';
import { PendingEntries } from './pending-entries';

const all = { count: 1_000, bytes: 1_000_000 };
const step = (generation: number): { generation: number; revisionBefore: bigint } => ({
  generation,
  revisionBefore: BigInt(generation * 10 - 1),
});

function identity(id: number, name = `n${id}`): EntryRecord {
  const entry: Entry = { kind: { $case: 'identity', value: { id, name } } };
  return new EntryRecord(identityUnit(String(id)), { entry, scope: 'all' });
}

function vrf(id: number): EntryRecord {
  const value = { id, name: '', virtualNetworkUuid: '', virtualNetworkName: '', vni: 1, maxFlows: 0, gatewayAddresses: [], tenant: false, addressSpace: Buffer.alloc(0) };
  return new EntryRecord(vrfUnit(String(id)), { entry: { kind: { $case: 'vrf', value } }, scope: 'all' });
}

function route(n: number): EntryRecord {
  const prefix = { address: Buffer.from([10, 0, 0, n]), length: 32 };
  const value = { key: { vrf: 1, prefix }, paths: [], identity: 0 };
  return new EntryRecord(routeUnit('x', prefix), { entry: { kind: { $case: 'route', value } }, scope: 'all' });
}

const trace = (uuid: string): Trace => ({ traceparent: `t-${uuid}`, type: 'instance-ip', uuid, revision: 1n });

describe('PendingEntries', () => {
  it('keeps the latest state of each key', () => {
    const pending = new PendingEntries();
    pending.upsert(identity(1, 'old'), step(1));
    pending.upsert(identity(1, 'new'), step(2));
    expect(pending.size).toBe(1);
    expect(pending.take(all).entries).toEqual([identity(1, 'new').bytes]);
  });

  it('turns an entry that is removed before it was sent into a removal, and back', () => {
    const pending = new PendingEntries();
    pending.upsert(identity(1), step(1));
    pending.remove(identity(1), step(2));
    expect(pending.take(all)).toMatchObject({ entries: [], removals: [identity(1).removal] });
    pending.remove(identity(1), step(3));
    pending.upsert(identity(1), step(4));
    expect(pending.take(all)).toMatchObject({ entries: [identity(1).bytes], removals: [] });
  });

  it('sends entries before those that refer to them, and removals in the reverse order after them', () => {
    const pending = new PendingEntries();
    pending.upsert(route(1), step(1));
    pending.remove(vrf(2), step(1));
    pending.upsert(vrf(1), step(1));
    pending.remove(route(2), step(1));
    const { entries, removals } = pending.take(all);
    expect(entries).toEqual([vrf(1).bytes, route(1).bytes]);
    expect(removals).toEqual([route(2).removal, vrf(2).removal]);
  });

  it('takes no more than the limits, and at least one', () => {
    const pending = new PendingEntries();
    for (let n = 1; n <= 5; n += 1) pending.upsert(route(n), step(1));
    expect(pending.take({ count: 2, bytes: 1_000 }).entries).toHaveLength(2);
    expect(pending.take({ count: 2, bytes: 1 }).entries).toHaveLength(1);
    expect(pending.size).toBe(2);
  });

  it('is complete up to the step before the oldest entry that waits', () => {
    const pending = new PendingEntries();
    expect(pending.completeRevision(50n)).toBe(50n);
    pending.upsert(route(1), step(2));
    pending.upsert(vrf(1), step(3));
    // Changing again does not make it younger.
    pending.upsert(route(1), step(4));
    pending.take({ count: 1, bytes: 1_000 });
    expect(pending.completeRevision(50n)).toBe(19n);
    pending.take(all);
    expect(pending.completeRevision(50n)).toBe(50n);
  });

  it('waits for what is held beside the entries', () => {
    const pending = new PendingEntries();
    pending.hold(step(3));
    expect(pending.completeRevision(50n)).toBe(29n);
    pending.release(3);
    expect(pending.completeRevision(50n)).toBe(50n);
  });

  it('forgets a key that was sent in another way', () => {
    const pending = new PendingEntries();
    pending.remove(route(1), step(1));
    pending.discard(route(1).key);
    expect(pending.size).toBe(0);
    expect(pending.completeRevision(50n)).toBe(50n);
  });

  it('names each traced change once in a batch', () => {
    const pending = new PendingEntries();
    const [a, b] = [trace('a'), trace('b')];
    pending.upsert(route(1), step(1), [a]);
    pending.upsert(route(1), step(2), [b]);
    pending.upsert(route(2), step(2), [b]);
    expect(pending.take(all).traces).toEqual([a, b]);
  });
});
