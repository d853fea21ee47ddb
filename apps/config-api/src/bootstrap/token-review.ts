import { ContrailError } from '@contrail/errors';
import type { KubeClient } from '@contrail/kube';
import { askTokenReview } from './ask-token-review';

/** What Kubernetes says about a token that it made. */
export interface ReviewedToken {
  readonly username: string;
  /** Node of the pod to which the token is bound; undefined when it is bound to none. */
  readonly node: string | undefined;
}

/** Asks Kubernetes whose token this is; undefined when it refuses the token. */
export type TokenReviewer = (token: string) => Promise<ReviewedToken | undefined>;

const nodeNameKey = 'authentication.kubernetes.io/node-name';
/**
 * Reviews by the TokenReview API; the token must be made for our audience.
 * @throws ContrailError UNAVAILABLE when Kubernetes does not answer.
 */
export function kubernetesReviewer(client: KubeClient, audience: string): TokenReviewer {
  return async (token) => {
    const { authenticated, user } = await askTokenReview(client, token, audience);
    if (authenticated !== true || user?.username === undefined) return undefined;
    return { username: user.username, node: user.extra?.[nodeNameKey]?.[0] };
  };
}

/** For a config-api outside Kubernetes: nobody gets a certificate. */
export const refusingReviewer: TokenReviewer = () =>
  Promise.reject(
    new ContrailError(
      'FAILED_PRECONDITION',
      'token exchange: KUBERNETES_SERVICE_HOST is not set, so no token can be reviewed; run config-api in the cluster',
    ),
  );
