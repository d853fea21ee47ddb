import type { KubeClient } from '@contrail/kube';

const reviewDeadlineMs = 5_000;

/** What Kubernetes says of a token that it knows. */
export interface TokenReviewStatus {
  readonly authenticated?: boolean;
  /** Of the audiences asked for, those that the token is made for; absent from servers that know none. */
  readonly audiences?: readonly string[];
  readonly user?: {
    readonly username?: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
}

/**
 * Asks Kubernetes whose token this is. A server that knows no audiences would take any token: unless it says
 * that the token is for ours, the token is refused.
 *
 * @param audience undefined: that of the API server.
 * @throws ContrailError UNAVAILABLE when Kubernetes does not answer.
 */
export async function askTokenReview(
  client: KubeClient,
  token: string,
  audience: string | undefined,
): Promise<TokenReviewStatus> {
  const review = (await client.request({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, ...(audience === undefined ? {} : { audiences: [audience] }) },
    },
    subject: 'TokenReview',
    deadlineMs: reviewDeadlineMs,
  })) as { readonly status?: TokenReviewStatus };
  const status = review.status ?? {};
  const isForUs = audience === undefined || status.audiences?.includes(audience) === true;
  return isForUs ? status : { authenticated: false };
}
