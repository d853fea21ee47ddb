import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { AllotKind } from '@contrail/proto-gen/config/v1/messages';
import type { NodeProgress, ObjectConflict, WatchRequest, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import { callUnary, closeClient, createClient, openServerStream } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import type { IdKind } from './compile/numeric-ids';
import type { IdSource } from './engine/id-allotter';

/** What control asks of config-api. */
export interface ConfigApi extends IdSource {
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchResponse>;
  reportProgress(nodes: NodeProgress[]): Promise<void>;
  reportConflicts(conflicts: ObjectConflict[]): Promise<void>;
  /** What all replicas reported. */
  progress(): Promise<readonly NodeProgress[]>;
  close(): void;
}

/** Whoever waits for it does not wait longer. */
const progressDeadlineMs = 2_000;

const allotKinds: Readonly<Record<IdKind, AllotKind>> = {
  vrf: AllotKind.ALLOT_KIND_VRF,
  identity: AllotKind.ALLOT_KIND_IDENTITY,
  policy: AllotKind.ALLOT_KIND_POLICY,
  label: AllotKind.ALLOT_KIND_LABEL,
};

export function connectConfigApi(address: string, tls: TlsSource | 'insecure'): ConfigApi {
  const client = createClient(ConfigServiceClient, { address, service: 'config-api', tls });
  return {
    watch: (request, signal) => openServerStream(client, 'watch', request, { signal }),
    allot: async (kind, keys) => (await callUnary(client, 'allot', { kind: allotKinds[kind], keys: [...keys] })).ids,
    reportProgress: async (nodes) => {
      await callUnary(client, 'reportProgress', { nodes });
    },
    reportConflicts: async (conflicts) => {
      await callUnary(client, 'reportConflicts', { conflicts });
    },
    progress: async () => (await callUnary(client, 'getProgress', {}, { deadlineMs: progressDeadlineMs })).nodes,
    close: () => closeClient(client),
  };
}
