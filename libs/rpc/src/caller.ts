import type { ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

/** Who calls, from the client's certificate. */
export interface Caller {
  /** Common name: "kube-manager"; empty without certificate. */
  readonly service: string;
  /** Of an agent: the node in its URI name `contrail://node/<node>`. */
  readonly node: string | undefined;
}

type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

export function peerOf(call: AnyCall): Caller {
  const certificate = call.getAuthContext().sslPeerCertificate;
  const name: unknown = certificate?.subject.CN;
  const uri = /(?:^|, )URI:contrail:\/\/node\/([^,\s]+)/.exec(certificate?.subjectaltname ?? '');
  return {
    service: typeof name === 'string' ? name : '',
    node: uri?.[1] === undefined ? undefined : decodeURIComponent(uri[1]),
  };
}
