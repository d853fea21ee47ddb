import { createHash } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import type { KubeClient } from '@contrail/kube';
import type { Clock } from '@contrail/reconcile';
import { askTokenReview } from '../../bootstrap/ask-token-review';
import { BriefCache } from './brief-cache';

/** Group of our resources in Kubernetes roles. */
export const apiGroup = 'contrail.opencontrail.org';

/** Whom a token stands for, as Kubernetes says. */
export interface User {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** `use` is the right to refer to an object. */
export type Verb = 'get' | 'list' | 'create' | 'update' | 'delete' | 'use';

export interface AccessQuestion {
  readonly verb: Verb;
  /** Plural type: `virtual-networks`. */
  readonly resource: string;
  /** undefined: in the whole cluster. */
  readonly namespace?: string | undefined;
}

/** Who somebody is, and what he may do. */
export interface Access {
  /** undefined when the token is refused. @throws ContrailError UNAVAILABLE */
  authenticate(token: string): Promise<User | undefined>;
  /** @throws ContrailError UNAVAILABLE */
  mayDo(user: User, question: AccessQuestion): Promise<boolean>;
}

const reviewDeadlineMs = 5_000;
const cacheLifetimeMs = 10_000;
const tokenLengthMax = 16_384;

interface AccessReview {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Asks Kubernetes by TokenReview and SubjectAccessReview; answers hold for ten seconds.
 * @param audience tokens made for it are accepted, beside those made for the API server itself.
 */
export function kubernetesAccess(client: KubeClient, audience: string, clock: Clock): Access {
  const users = new BriefCache<User | undefined>({
    clock,
    lifetimeMs: cacheLifetimeMs,
    entriesMax: 2_000,
  });
  const rights = new BriefCache<boolean>({
    clock,
    lifetimeMs: cacheLifetimeMs,
    entriesMax: 50_000,
  });
  return {
    authenticate: async (token) => {
      if (token === '' || token.length > tokenLengthMax) return undefined;
      const key = createHash('sha256').update(token).digest('base64url');
      return await users.get(key, () => reviewToken(client, token, audience));
    },
    mayDo: async (user, question) => {
      const { verb, resource, namespace = '' } = question;
      const key = JSON.stringify([user.username, user.uid, user.groups, verb, resource, namespace]);
      return await rights.get(key, () => reviewAccess(client, user, question));
    },
  };
}

async function reviewToken(
  client: KubeClient,
  token: string,
  audience: string,
): Promise<User | undefined> {
  const { authenticated, user } = await askTokenReview(client, token, isFor(token, audience) ? audience : undefined);
  if (authenticated !== true || user?.username === undefined) return undefined;
  const { username, uid = '', groups = [], extra = {} } = user;
  return { username, uid, groups, extra };
}

/** What the token says of itself decides only which question is asked; Kubernetes checks the answer. */
function isFor(token: string, audience: string): boolean {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { aud } = JSON.parse(payload) as { aud?: unknown };
    return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
  } catch {
    return false;
  }
}

async function reviewAccess(
  client: KubeClient,
  user: User,
  { verb, resource, namespace }: AccessQuestion,
): Promise<boolean> {
  const review = (await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: user.username,
        uid: user.uid,
        groups: user.groups,
        extra: user.extra,
        resourceAttributes: {
          group: apiGroup,
          resource,
          verb,
          ...(namespace === undefined ? {} : { namespace }),
        },
      },
    },
    subject: 'SubjectAccessReview',
    deadlineMs: reviewDeadlineMs,
  })) as AccessReview;
  return review.status?.allowed === true;
}

/** For a config-api outside Kubernetes: nobody is known. */
export const refusingAccess: Access = {
  authenticate: () =>
    Promise.reject(
      new ContrailError(
        'UNAVAILABLE',
        'token: KUBERNETES_SERVICE_HOST is not set, so no token can be reviewed; run config-api in the cluster',
      ),
    ),
  mayDo: () => Promise.resolve(false),
};
