import type { Command } from 'commander';
import type { FlowState } from '@contrail/proto-gen/agent/v1/messages';
import { ContrailError } from '@contrail/errors';
import { parseAddress } from '@contrail/net';
import { callUnary, openServerStream } from '@contrail/rpc';
import { toFormat } from '../output/print';
import { withAgent } from '../session';
import type { Session } from '../session';
import { dropLine, dropTable, flowTable, nextHopTable, routeTable, serviceTable, statusText, vifTable, vrfTable } from './agent-tables';

type OpenSession = () => Session;

/** Adds the commands that ask one agent. */
export function addAgentCommands(program: Command, open: OpenSession): void {
  program.command('status').description('the agent: control, revision, flows, problems').action(() => status(open()));
  program.command('vif').description('interfaces of the node').action(() => vifs(open()));
  program.command('vrf').description('VRFs with their routes and services counted').action(() => vrfs(open()));
  program
    .command('route')
    .description('routes with their next hops')
    .option('--vrf <id>', 'of one VRF only', toNumber, 0)
    .action((options: { vrf: number }) => routes(open(), options.vrf));
  program.command('nh').description('next hops; of ECMP the members and their shares').action(() => nextHops(open()));
  program
    .command('flow')
    .description('live flows')
    .option('--address <address>', 'with this address on either side')
    .option('--vif <ifindex>', 'of one interface', toNumber, 0)
    .option('--limit <n>', 'at most so many', toNumber, 1000)
    .action((options: FlowOptions) => flows(open(), options));
  program.command('service').description('services and their ECMP members').action(() => services(open()));
  program
    .command('drop')
    .description('dropped packets by reason and VRF')
    .option('--watch', 'sampled drops as they happen')
    .action((options: { watch?: boolean }) => (options.watch ? watchDrops(open()) : drops(open())));
}

interface FlowOptions {
  readonly address?: string;
  readonly vif: number;
  readonly limit: number;
}

function toNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new ContrailError('INVALID_ARGUMENT', `"${text}" is not a whole number`);
  return Number(text);
}

async function status(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'status', {}));
  print(session, response, () => statusText(response));
}

async function vifs(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'listInterfaces', {}));
  print(session, response.vifs, () => vifTable(response.vifs));
}

async function vrfs(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'listVrfs', {}));
  print(session, response.vrfs, () => vrfTable(response.vrfs));
}

async function routes(session: Session, vrf: number): Promise<void> {
  const [found, hops] = await withAgent(session, (client) =>
    Promise.all([callUnary(client, 'listRoutes', { vrf }), callUnary(client, 'listNextHops', {})]),
  );
  print(session, found.routes, () => routeTable(found.routes, hops.nextHops));
}

async function nextHops(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'listNextHops', {}));
  print(session, response.nextHops, () => nextHopTable(response.nextHops));
}

async function services(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'listServices', {}));
  print(session, response.services, () => serviceTable(response.services));
}

async function flows(session: Session, { address, vif, limit }: FlowOptions): Promise<void> {
  const request = { address: Buffer.from(address === undefined ? [] : parseAddress(address)), zone: vif, limit };
  const found: FlowState[] = [];
  await withAgent(session, async (client) => {
    for await (const part of openServerStream(client, 'listFlows', request, { signal: session.signal })) found.push(...part.flows);
  });
  print(session, found, () => flowTable(found));
}

async function drops(session: Session): Promise<void> {
  const response = await withAgent(session, (client) => callUnary(client, 'listDrops', {}));
  print(session, response.drops, () => dropTable(response.drops));
}

/** Until Ctrl-C. */
async function watchDrops(session: Session): Promise<void> {
  await withAgent(session, async (client) => {
    for await (const { events } of openServerStream(client, 'watchDrops', {}, { signal: session.signal })) {
      for (const event of events) session.write(toFormat(session.options.output, event, () => dropLine(event)));
    }
  });
}

function print(session: Session, value: unknown, table: () => string): void {
  session.write(toFormat(session.options.output, value, table));
}
