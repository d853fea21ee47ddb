/** How many operations a second, with so many in flight. */
import { randomUUID } from 'node:crypto';
import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import { callUnary } from '@contrail/rpc';
import type { ConfigRow } from './config-table';
import { runInFlight } from './in-flight';
import { createOf, interfaceResource, interfaceType, networkUuid, restInterface } from './objects';
import type { RestClient } from './rest-client';
import { Stopwatch } from './stopwatch';

export interface ThroughputOptions {
  readonly rounds: number;
  readonly durationMs: number;
  /** Processes whose CPU time is reported. */
  readonly pids: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
}

interface Throughput {
  readonly what: string;
  readonly goal: string;
  readonly unit: string;
  readonly inFlight: number;
  /** Things done by one operation. */
  readonly each: number;
  /** The process that does the work. */
  readonly server: string;
  readonly operation: (sequence: number) => Promise<unknown>;
}

const batch = 100;
/** A loaded machine is slow, not broken. */
const deadlineMs = 60_000;

export async function measureThroughput(options: ThroughputOptions, throughput: Throughput): Promise<ConfigRow> {
  const { what, goal, unit, inFlight, each, operation, server } = throughput;
  const samples: number[] = [];
  const latenciesMs: number[] = [];
  const cores: Array<Record<string, number>> = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const stopwatch = new Stopwatch(options.pids);
    const result = await runInFlight(inFlight, options.durationMs, operation, options.signal);
    cores.push(stopwatch.stop().cores);
    samples.push((result.operations * each) / result.seconds);
    for (const latency of result.latenciesMs) latenciesMs.push(latency);
  }
  return { what, goal, unit, samples, latenciesMs, cores, server };
}

export function createsOneByOne(client: ConfigServiceClient): Throughput {
  return {
    ...{ what: 'Create, 50 in flight', goal: '2 000', unit: 'objects/s', inFlight: 50, each: 1, server: 'config-api' },
    operation: () => callUnary(client, 'create', { resource: interfaceResource() }, { deadlineMs }),
  };
}

export function createsInTransactions(client: ConfigServiceClient): Throughput {
  return {
    ...{ what: 'Transact of 100 creates, 8 in flight', goal: '20 000', unit: 'objects/s', inFlight: 8, each: batch, server: 'config-api' },
    operation: () =>
      callUnary(client, 'transact', { operations: Array.from({ length: batch }, () => createOf(interfaceResource())) }, { deadlineMs }),
  };
}

export function createsOverRest(client: RestClient): Throughput {
  return {
    ...{ what: 'POST over REST, 50 in flight', goal: '500', unit: 'objects/s', inFlight: 50, each: 1, server: 'config-api' },
    operation: () => client.post(`/${interfaceType}s`, restInterface(randomUUID())),
  };
}

/** @param uuids objects that exist. */
export function reads(client: ConfigServiceClient, uuids: readonly string[]): Throughput {
  return {
    ...{ what: 'Get, 50 in flight', goal: '3 000', unit: 'objects/s', inFlight: 50, each: 1, server: 'config-api' },
    operation: (sequence) =>
      callUnary(client, 'get', {
        key: { type: interfaceType, uuid: uuids[sequence % uuids.length] ?? '', fqName: [] },
      }),
  };
}

/** Two clients page through all objects of a type again and again. */
export async function measureLists(options: ThroughputOptions, client: ConfigServiceClient): Promise<ConfigRow> {
  let listed = 0;
  const listAll = async (): Promise<void> => {
    let pageToken = '';
    do {
      const request = { type: interfaceType, parentUuid: '', annotations: {}, pageSize: 1000, pageToken };
      const page = await callUnary(client, 'list', request, { deadlineMs });
      listed += page.resources.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  };
  const samples: number[] = [];
  const cores: Array<Record<string, number>> = [];
  for (let round = 0; round < options.rounds; round += 1) {
    listed = 0;
    const stopwatch = new Stopwatch(options.pids);
    await runInFlight(2, options.durationMs, listAll, options.signal);
    const usage = stopwatch.stop();
    samples.push(listed / usage.seconds);
    cores.push(usage.cores);
  }
  return { what: 'List by pages of 1 000, two clients', goal: '50 000', unit: 'objects/s', samples, cores, server: 'config-api' };
}

/** @param what the state of the subnet, for the table. */
export function allocations(client: IpamServiceClient, what: string): Throughput {
  return {
    ...{ what: `Allocate by 100, 4 in flight, ${what}`, goal: '5 000', unit: 'addresses/s', inFlight: 4, each: batch, server: 'ipam' },
    operation: async () => {
      const items = Array.from({ length: batch }, () => allocateItem(randomUUID()));
      const { results } = await callUnary(client, 'allocate', { items }, { deadlineMs });
      const failed = results.find(({ error }) => error !== undefined)?.error;
      if (failed !== undefined) throw new Error(`Allocate: ${failed.message}`);
    },
  };
}

function allocateItem(ownerUuid: string): AllocateItem {
  const description = `Pod/default/${ownerUuid.slice(0, 8)}`;
  return AllocateItem.fromPartial({ virtualNetworkUuid: networkUuid, ownerUuid, description });
}

/** Takes addresses until so many are held. */
export async function fillSubnet(client: IpamServiceClient, count: number): Promise<void> {
  let left = count;
  const take = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(500, left);
      left -= size;
      const items = Array.from({ length: size }, () => allocateItem(randomUUID()));
      await callUnary(client, 'allocate', { items }, { deadlineMs });
    }
  };
  await Promise.all([take(), take(), take(), take()]);
}
