import { ContrailError } from '@contrail/errors';
import { ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import type { Hello, SyncRequest } from '@contrail/proto-gen/control/v1/messages';
import type { ReachRequest, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import type { Clock } from '@contrail/reconcile';
import { bidi, defineService, unary } from '@contrail/rpc';
import type { BidiStream, Caller, ServiceSpec } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import type { AgentStream } from '../stream/agent-stream';
import type { StreamHub } from '../stream/stream-hub';

export interface ControlServiceOptions {
  readonly hub: StreamHub;
  readonly isReady: () => boolean;
  readonly clock: Clock;
  /** An agent acknowledged something. */
  readonly onAck: () => void;
  readonly onLeave: (node: string) => void;
  readonly reach: (request: ReachRequest) => ReachResponse;
}

/** Layout of the state messages that this process speaks. */
const protocolVersion = 1;
/** How long an agent waits here for a process that is starting; then it should try another replica. */
const readyWaitMs = 5_000;
const readyPollMs = 50;
const log = logger('sync');

/** As generated, except that answers are encoded already: the entries in them are shared by all agents. */
const encodedControlService = {
  ...ControlServiceService,
  sync: { ...ControlServiceService.sync, responseSerialize: (encoded: Buffer): Buffer => encoded },
};

type SyncStream = BidiStream<SyncRequest, Buffer>;

export function controlService(options: ControlServiceOptions): ServiceSpec {
  return defineService(encodedControlService, {
    sync: { allow: ['vrouter-agent'], handle: bidi((stream: SyncStream) => serveAgent(stream, options)) },
    reach: {
      allow: ['contrailctl'],
      handle: unary(async (request: ReachRequest, { signal }) => {
        await waitUntilReady(options, signal);
        return options.reach(request);
      }),
    },
  });
}

async function serveAgent(stream: SyncStream, options: ControlServiceOptions): Promise<void> {
  const requests = stream.messages()[Symbol.asyncIterator]();
  const first = await requests.next();
  if (first.done === true) return;
  const { node } = checkHello(first.value, stream.caller);
  await waitUntilReady(options, stream.signal);
  const agent = options.hub.open(node);
  log.info('agent connected', { node });
  const ended = new AbortController();
  const signal = AbortSignal.any([stream.signal, ended.signal]);
  try {
    const reading = readAcks(requests, agent, options.onAck).finally(() => ended.abort());
    await Promise.all([reading, agent.run(stream.write, signal)]);
  } finally {
    options.hub.close(agent);
    options.onLeave(node);
    log.info('agent disconnected', { node });
  }
}

/** @throws ContrailError INVALID_ARGUMENT, PERMISSION_DENIED or FAILED_PRECONDITION */
function checkHello({ kind }: SyncRequest, caller: Caller): Hello {
  if (kind?.$case !== 'hello') {
    throw new ContrailError('INVALID_ARGUMENT', 'sync: the first message is not a hello; send it before anything else');
  }
  const { node, protocolVersion: version } = kind.value;
  if (node === '') throw new ContrailError('INVALID_ARGUMENT', 'hello.node: is empty; name the VirtualRouter');
  if (caller.node !== node) {
    throw new ContrailError(
      'PERMISSION_DENIED',
      `hello.node: is "${node}", but the certificate is for node "${caller.node ?? ''}"; an agent reads its own node only`,
    );
  }
  if (version !== protocolVersion) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `hello.protocol_version: is ${version}, but control speaks ${protocolVersion}; run agent and control of the same release`,
    );
  }
  return kind.value;
}

/** @throws ContrailError UNAVAILABLE */
async function waitUntilReady({ isReady, clock }: ControlServiceOptions, signal: AbortSignal): Promise<void> {
  const deadline = clock.now() + readyWaitMs;
  while (!isReady() && clock.now() < deadline && !signal.aborted) await clock.sleep(readyPollMs);
  if (!isReady()) {
    throw new ContrailError('UNAVAILABLE', 'control: has no complete configuration yet; try another replica or again');
  }
}

async function readAcks(requests: AsyncIterator<SyncRequest>, agent: AgentStream, onAck: () => void): Promise<void> {
  for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
    const { kind } = next.value;
    if (kind?.$case !== 'ack') {
      throw new ContrailError('INVALID_ARGUMENT', 'sync: a message after the hello is not an ack; open a new stream instead');
    }
    const { revision, exceptions, sequence } = kind.value;
    agent.acknowledge(revision, exceptions, Number(sequence));
    onAck();
  }
}
