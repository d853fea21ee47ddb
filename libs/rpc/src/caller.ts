import type { PeerCertificate } from 'node:tls';

/** Who calls, from the client's certificate. */
export interface Caller {
  /** Common name: "kube-manager"; empty without certificate. */
  readonly service: string;
  /** Of an agent: the node in its URI name `contrail://node/<node>`. */
  readonly node: string | undefined;
}

export function peerOf(call: { getAuthContext(): { sslPeerCertificate?: PeerCertificate } }): Caller {
  const certificate = call.getAuthContext().sslPeerCertificate;
  const name: unknown = certificate?.subject.CN;
  const uri = /(?:^|, )URI:contrail:\/\/node\/([^,\s]+)/.exec(certificate?.subjectaltname ?? '');
  return {
    service: typeof name === 'string' ? name : '',
    node: uri?.[1] === undefined ? undefined : decodeURIComponent(uri[1]),
  };
}
