import type { PeerCertificate } from 'node:tls';

/** Who calls, from the client's certificate. */
export interface Caller {
  /** Common name: "kube-manager"; empty without certificate. */
  readonly service: string;
  /** Of an agent: the node in its URI name `contrail://node/<node>`. */
  readonly node: string | undefined;
}

/** Reading a certificate takes longer than answering a small call, and it cannot change while the connection lasts. */
const callers = new WeakMap<object, Caller>();

export function peerOf(call: { getAuthContext(): { sslPeerCertificate?: PeerCertificate } }): Caller {
  const session = sessionOf(call);
  const known = session && callers.get(session);
  if (known !== undefined) return known;
  const caller = readCaller(call);
  // A connection that is about to close has no certificate any more.
  if (session !== undefined && caller.service !== '') callers.set(session, caller);
  return caller;
}

/** The HTTP/2 session of a call of grpc-js; undefined when it keeps that elsewhere. */
function sessionOf(call: object): object | undefined {
  const { call: inner } = call as { readonly call?: { readonly stream?: { readonly session?: unknown } } };
  const session = inner?.stream?.session;
  return typeof session === 'object' && session !== null ? session : undefined;
}

function readCaller(call: { getAuthContext(): { sslPeerCertificate?: PeerCertificate } }): Caller {
  const certificate = call.getAuthContext().sslPeerCertificate;
  const name: unknown = certificate?.subject.CN;
  const uri = /(?:^|, )URI:contrail:\/\/node\/([^,\s]+)/.exec(certificate?.subjectaltname ?? '');
  return {
    service: typeof name === 'string' ? name : '',
    node: uri?.[1] === undefined ? undefined : decodeURIComponent(uri[1]),
  };
}
