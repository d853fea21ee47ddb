import { AgentServiceService } from '@contrail/proto-gen/agent/v1/agent_service';
import type {
  DropEvent as DropEventMessage,
  FlowState,
  ListFlowsRequest,
  ListFlowsResponse,
  ListRoutesRequest,
  StatusResponse,
  WatchDropsRequest,
  WatchDropsResponse,
  VerifyRequest,
  VerifyResponse,
} from '@contrail/proto-gen/agent/v1/messages';
import { ContrailError } from '@contrail/errors';
import { defineService, serverStream, unary } from '@contrail/rpc';
import type { ServiceSpec } from '@contrail/rpc';
import type { CniContext } from '../cni-server/cni-context';
import type { DropEvent } from '../datapath/port';
import type { DropFeed } from './drop-feed';
import type { Verifier } from '../verify/verifier';
import { listInterfaces } from './list-interfaces';
import { flowMatches, listNextHops, listRoutes, listServices, listVrfs, toFlowState } from './list-tables';

const flowsDefault = 10_000;

export interface AgentServiceOptions {
  readonly context: CniContext;
  readonly drops: DropFeed;
  readonly verifier: Verifier;
  readonly version: string;
  /** The control replica in use; empty when not connected. */
  controlAddress(): string;
  problems(): string[];
}

/** @param allow services that may ask; 'any' on the unix socket, whose file mode decides. */
export function agentService(options: AgentServiceOptions, allow: readonly string[] | 'any'): ServiceSpec {
  const { context, drops } = options;
  const { datapath, state } = context;
  const { entries } = state.desired;
  return defineService(AgentServiceService, {
    status: { allow, handle: unary(async () => statusOf(options)) },
    listInterfaces: { allow, handle: unary(async () => ({ vifs: listInterfaces(context) })) },
    listVrfs: { allow, handle: unary(async () => ({ vrfs: listVrfs(datapath, entries) })) },
    listRoutes: {
      allow,
      handle: unary(async ({ vrf }: ListRoutesRequest) => ({ routes: listRoutes(datapath, vrf) })),
    },
    listNextHops: { allow, handle: unary(async () => ({ nextHops: listNextHops(datapath) })) },
    listServices: { allow, handle: unary(async () => ({ services: listServices(datapath, entries) })) },
    listFlows: {
      allow,
      handle: serverStream<ListFlowsRequest, ListFlowsResponse>(async (request, stream) => {
        for await (const flows of selectFlows(options, request)) await stream.write({ flows });
      }),
    },
    listDrops: { allow, handle: unary(async () => ({ drops: datapath.drops() })) },
    watchDrops: {
      allow,
      handle: serverStream<WatchDropsRequest, WatchDropsResponse>(async (_request, stream) => {
        for await (const events of drops.watch(stream.signal)) await stream.write({ events: events.map(toMessage) });
      }),
    },
    // It may change the node, so others than the administrator's tool do not call it.
    verify: {
      allow: allow === 'any' ? 'any' : ['contrailctl'],
      handle: unary((request: VerifyRequest) => verify(options, request)),
    },
  });
}

async function verify({ context, verifier }: AgentServiceOptions, { repair }: VerifyRequest): Promise<VerifyResponse> {
  const { drifts, checked } = await verifier.run({ repair, thorough: true });
  return {
    node: context.state.desired.self,
    drifts: [...drifts],
    checked: [...checked].map(([kind, count]) => ({ kind, count })),
    attachments: context.attachments.all().map(({ containerId, ifname, vmiUuid, pod, hostInterface }) => ({
      containerId,
      interface: ifname,
      vmiUuid,
      pod,
      device: hostInterface,
    })),
  };
}

async function* selectFlows({ context }: AgentServiceOptions, request: ListFlowsRequest): AsyncGenerator<FlowState[]> {
  const { address, zone } = request;
  if (![0, 4, 16].includes(address.length)) {
    throw new ContrailError('INVALID_ARGUMENT', `address has ${address.length} bytes; an address has 4 or 16, none means all`);
  }
  let left = request.limit || flowsDefault;
  for await (const batch of context.datapath.flows()) {
    const flows = batch.filter((flow) => flowMatches(flow, { address, zone })).slice(0, left);
    left -= flows.length;
    if (flows.length > 0) yield flows.map(toFlowState);
    if (left === 0) return;
  }
}

function statusOf({ context, version, controlAddress, problems }: AgentServiceOptions): StatusResponse {
  const { datapath, state } = context;
  const { used, capacity } = datapath.flowCount();
  return {
    node: state.desired.self,
    version,
    mapLayout: datapath.layoutVersion,
    controlAddress: controlAddress(),
    inSync: state.inSync,
    revisionReceived: state.revisionReceived,
    revisionProgrammed: state.revisionProgrammed,
    interfaces: context.attachments.all().length,
    flows: used,
    flowCapacity: capacity,
    tunnelMtu: state.desired.local.podMtu,
    problems: problems(),
  };
}

function toMessage(event: DropEvent): DropEventMessage {
  const { timeMs, rule, source, destination, ...same } = event;
  return {
    ...same,
    timeMs: BigInt(Math.round(timeMs)),
    ruleId: rule,
    source: Buffer.from(source),
    destination: Buffer.from(destination),
  };
}
