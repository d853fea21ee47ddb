import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAddress } from '@contrail/net';
import { createDevice } from '../cni-server/add-interface';
import type { CniContext } from '../cni-server/cni-context';
import type { FakeDatapath } from '../datapath/testing/fake-datapath';
import * as make from '../testing/entries';
import { newDatapath, newState } from '../testing/fixture';
import { attachmentIn, shortClock, syncedContext } from '../testing/verify-fixture';
import { watchDrift } from './drift-watch';
import { Verifier } from './verifier';
import type { MendedDrift } from './verifier';

const never = new AbortController().signal;

describe('Verifier', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'verifier-'));
  const netns = path.join(folder, 'netns');
  let datapath: FakeDatapath;
  let context: CniContext;
  let verifier: Verifier;

  beforeEach(() => {
    mkdirSync(netns, { recursive: true });
    rmSync(path.join(folder, 'attachments'), { recursive: true, force: true });
    datapath = newDatapath();
    context = syncedContext(datapath, folder);
    const attachment = attachmentIn(netns);
    const vmi = context.state.desired.entries.findInterface(attachment.vmiUuid);
    context.attachments.put(attachment);
    if (vmi) createDevice(context, attachment, vmi);
    verifier = new Verifier(context, shortClock, never);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const look = async (): Promise<readonly MendedDrift[]> => (await verifier.run({ repair: false, thorough: true })).drifts;

  it('finds nothing where nothing is wrong', async () => {
    expect(await look()).toEqual([]);
  });

  it('refuses to judge before control has spoken', async () => {
    const early = new Verifier({ ...context, state: newState(newDatapath()), controlProblem: () => 'control is away' }, shortClock, never);
    await expect(early.run({ repair: true, thorough: true })).rejects.toThrow(/not known yet: control is away/);
  });

  it('changes nothing unless asked to repair', async () => {
    const row = { vrf: make.podVrf, address: parseAddress('10.32.0.1') };
    datapath.hostRoutes.remove([row]);
    expect(await look()).toHaveLength(1);
    expect(datapath.hostRoutes.get(row)).toBeUndefined();
    await verifier.run({ repair: true, thorough: false });
    expect(datapath.hostRoutes.get(row)).toBeDefined();
  });

  it('says why a row cannot be written, and that it is not mended', async () => {
    const rows = datapath.labelsIn.dump();
    datapath.labelsIn.remove(rows.map(([key]) => key));
    datapath.labelsIn.capacity = 0;
    await verifier.run({ repair: true, thorough: false });
    const { drifts } = await verifier.run({ repair: true, thorough: false });
    expect(drifts).toEqual([expect.objectContaining({ kind: 'map', found: 'absent', mended: false, remedy: expect.stringContaining('full') as string })]);
    context.state.stop();
  });

  it('leaves an interface alone whose ADD is running', async () => {
    datapath.devices.deletePodInterface('tap1');
    context.adding.add('c1/eth0');
    expect((await look()).filter(({ kind }) => kind === 'interface')).toEqual([]);
    context.adding.clear();
    expect((await look()).filter(({ kind }) => kind === 'interface').map(({ found }) => found)).toEqual(['absent', 'absent']);
  });

  it('keeps the device of a pod whose attachment file is lost', async () => {
    context.attachments.remove({ containerId: 'c1', ifname: 'eth0' });
    expect(await look()).toEqual([]);
  });

  it('a difference that is over at the second look was a change being made', async () => {
    datapath.devices.changed.set('tap1', { mtu: 1300 });
    const clock = { ...shortClock, sleep: () => Promise.resolve(void datapath.devices.changed.clear()) };
    const { drifts } = await new Verifier(context, clock, never).run({ repair: false, thorough: false });
    expect(drifts).toEqual([]);
  });

  it('compares a table of many rows page by page and still finds the one that is wrong', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => make.routeEntry(make.podVrf, `10.33.${i >> 8}.${i & 255}/32`, make.interfacePath('node2', 3)));
    context.state.applyBatch(make.batch(2, entries));
    expect(await look()).toEqual([]);
    datapath.hostRoutes.remove([{ vrf: make.podVrf, address: parseAddress('10.33.7.7') }]);
    expect(await look()).toEqual([expect.objectContaining({ object: expect.stringContaining('address=10.33.7.7') as string, found: 'absent' })]);
  });

  it('goes on by itself, mends, and tells', async () => {
    const stop = new AbortController();
    const told: MendedDrift[] = [];
    datapath.swapped.set('/pins/vifs', undefined);
    const drifted = (drifts: readonly MendedDrift[]): void => {
      told.push(...drifts);
      stop.abort();
    };
    await watchDrift({ context, verifier, events: { drifted }, clock: shortClock, intervalMs: 1 }, stop.signal);
    expect(told).toEqual([expect.objectContaining({ kind: 'pin', object: '/pins/vifs', found: 'absent', mended: true })]);
    expect(datapath.swapped.size).toBe(0);
  });
});
