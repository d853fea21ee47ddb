import { ContrailError } from '@contrail/errors';
import { defineService, unary } from '@contrail/rpc';
import type { ServiceSpec } from '@contrail/rpc';
import { BootstrapServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type {
  ExchangeTokenRequest,
  ExchangeTokenResponse,
} from '@contrail/proto-gen/config/v1/messages';
import { findMessage, globalSystemConfigName } from '@contrail/resource-model';
import type { Clock } from '@contrail/reconcile';
import type { ResourceStore } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { measured } from '../serve/metrics';
import { publicKeyOfRequest, signCertificate } from './certificate';
import type { CertificateAuthority } from './certificate';
import type { TokenReviewer } from './token-review';

export interface BootstrapOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly reviewToken: TokenReviewer;
  /** Read for each certificate, so that a rotated authority is used at once. */
  readonly authority: () => CertificateAuthority;
  /** PEM of every authority that clients trust. */
  readonly trust: () => string;
  /** `system:serviceaccount:contrail:vrouter-agent`; nobody else gets a certificate. */
  readonly agentUser: string;
}

const log = logger('bootstrap');
const agentService = 'vrouter-agent';
export const certificateLifetimeMs = 24 * 3_600_000;
/** Clocks of nodes may be behind by so much. */
const clockSkewMs = 300_000;
const tokenLengthMax = 16_384;
/** RFC 1123 subdomain, as Kubernetes names nodes. */
const nodeNameForm = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Exchanges an agent's ServiceAccount token for a certificate that names its node. */
export function bootstrapService(options: BootstrapOptions): ServiceSpec {
  return defineService(BootstrapServiceService, {
    exchangeToken: {
      allow: 'any',
      handle: unary((request) => measured('ExchangeToken', () => exchangeToken(options, request))),
    },
  });
}

/** @throws ContrailError UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT, UNAVAILABLE */
export async function exchangeToken(
  options: BootstrapOptions,
  request: ExchangeTokenRequest,
): Promise<ExchangeTokenResponse> {
  const node = await nodeOfToken(options, request.token);
  const spki = publicKeyOfRequest(request.certificateRequestPem);
  const addresses = await nodeAddresses(options.store, node);
  const now = options.clock.now();
  const validity = { from: new Date(now - clockSkewMs), to: new Date(now + certificateLifetimeMs) };
  const names = {
    commonName: agentService,
    dns: [agentService],
    uris: [`contrail://node/${encodeURIComponent(node)}`],
    addresses,
  };
  const certificatePem = signCertificate(options.authority(), spki, { names, validity });
  log.info('certificate issued', { node, notAfter: validity.to.toISOString() });
  return {
    certificatePem,
    caPem: options.trust(),
    notAfterS: BigInt(Math.floor(validity.to.getTime() / 1000)),
  };
}

async function nodeOfToken(
  { reviewToken, agentUser }: BootstrapOptions,
  token: string,
): Promise<string> {
  if (token === '' || token.length > tokenLengthMax) {
    throw new ContrailError(
      'UNAUTHENTICATED',
      'token: is empty or too long; send the projected ServiceAccount token',
    );
  }
  const reviewed = await reviewToken(token);
  if (reviewed === undefined) {
    throw new ContrailError(
      'UNAUTHENTICATED',
      'token: Kubernetes refuses it; send a token that is not expired and has the audience of the deployment',
    );
  }
  if (reviewed.username !== agentUser) {
    throw new ContrailError(
      'PERMISSION_DENIED',
      `token: belongs to ${reviewed.username}, but only ${agentUser} gets a certificate; correct AGENT_USER or the pod`,
    );
  }
  if (reviewed.node === undefined || !nodeNameForm.test(reviewed.node)) {
    throw new ContrailError(
      'UNAUTHENTICATED',
      'token: is bound to no node; use a projected token of a scheduled pod',
    );
  }
  return reviewed.node;
}

/** Addresses of the node's VirtualRouter; none before kube-manager has made it. */
async function nodeAddresses(store: ResourceStore, node: string): Promise<string[]> {
  const [uuid] = await store.findUuids([
    { type: 'virtual-router', fqName: [globalSystemConfigName, node] },
  ]);
  const [resource] = uuid === undefined ? [] : await store.getMany([uuid]);
  const router = resource === undefined ? undefined : findMessage('virtual-router', resource);
  if (router === undefined) return [];
  const all = [router.virtualRouterIpAddress, ...router.virtualRouterIpAddresses];
  return [...new Set(all)].filter((address) => address !== '');
}
