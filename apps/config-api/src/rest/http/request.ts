import type { Json } from '../wire/json';
import type { Answer } from '../wire/json';
import type { User } from '../auth/kubernetes-access';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A request, read and bounded. */
export interface RestRequest {
  readonly method: Method;
  /** Decoded segments of the path: `['virtual-network', '<uuid>']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  /** Beginning of every link of the answer: `https://10.0.0.1:8082`. */
  readonly root: string;
  /** The parsed body; null without one. */
  readonly body: Json;
  /** Empty when the client shows none. */
  readonly token: string;
  /** What the client has of the object already: the tag of an answer; empty for nothing. */
  readonly ifNoneMatch: string;
  /** The client went away. */
  readonly signal: AbortSignal;
}

/** A request of somebody whom Kubernetes knows. */
export interface UserRequest extends RestRequest {
  readonly user: User;
}

export type Reply =
  | {
      readonly kind: 'json';
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: Answer;
    }
  | { readonly kind: 'empty'; readonly status?: number }
  /** Pieces of one JSON document, written no faster than the client reads. */
  | { readonly kind: 'stream'; readonly pieces: AsyncIterable<string> };

export function json(body: Answer, status = 200): Reply {
  return { kind: 'json', status, body };
}

export const empty: Reply = { kind: 'empty' };
