import { addressKey, formatAddress, formatPrefix, isUsableUnicast, prefixContains, tryParseAddress } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type { Complaint } from './complaint';
import type { KubeEndpoint, KubeEndpointSlice, KubeServicePort } from './kube-objects';

/** One backend of one service port. */
export interface Backend {
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  readonly endpoint: KubeEndpoint;
  /** The slice that named it first. */
  readonly slice: KubeEndpointSlice;
}

/** Backends of each port of a service, and what was wrong with its slices. */
export interface Backends {
  backendsOf(port: KubeServicePort): readonly Backend[];
  readonly complaints: readonly Complaint[];
}

/**
 * Merges the EndpointSlices of one Service. An address that several slices or endpoints name for the same
 * port counts once: the better condition wins. Invalid addresses are left out and complained about.
 *
 * @param slices in any order; every slice of the Service.
 * @param serviceSubnets ranges of cluster IPs: Kubernetes allows none of them as endpoint.
 */
export function mergeEndpointSlices(slices: readonly KubeEndpointSlice[], serviceSubnets: readonly Prefix[]): Backends {
  const complaints: Complaint[] = [];
  const ports = new Map<string, Map<string, Backend>>();
  const ordered = [...slices].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const slice of ordered) {
    const length = slice.addressType === 'IPv4' ? 4 : slice.addressType === 'IPv6' ? 16 : 0;
    if (length === 0) continue;
    for (const endpoint of slice.endpoints) {
      // Kubernetes: consumers use the first address only, further ones are the same endpoint.
      const [text = ''] = endpoint.addresses;
      const address = tryParseAddress(text);
      if (address === undefined || address.length !== length || !isUsableUnicast(address)) {
        complaints.push(complaintOf(slice, text, notUsable(slice)));
        continue;
      }
      const range = serviceSubnets.find((prefix) => prefixContains(prefix, address));
      if (range !== undefined) {
        complaints.push(complaintOf(slice, text, isClusterIp(range)));
        continue;
      }
      for (const { name, protocol, port } of slice.ports) {
        const backends = ports.get(`${protocol}/${name}`) ?? new Map<string, Backend>();
        ports.set(`${protocol}/${name}`, backends);
        const key = `${addressKey(address)}/${port}`;
        const known = backends.get(key);
        backends.set(key, { address: formatAddress(address), port, endpoint: better(known?.endpoint, endpoint), slice: known?.slice ?? slice });
      }
    }
  }
  return {
    complaints,
    backendsOf: ({ protocol, name }) => {
      const backends = [...(ports.get(`${protocol}/${name}`) ?? [])];
      return backends.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, backend]) => backend);
    },
  };
}

/** Ready before serving before the rest; otherwise the first. */
function better(known: KubeEndpoint | undefined, other: KubeEndpoint): KubeEndpoint {
  if (known === undefined) return other;
  const rank = (endpoint: KubeEndpoint): number => (endpoint.ready ? 2 : endpoint.serving ? 1 : 0);
  return rank(other) > rank(known) ? other : known;
}

interface Fault {
  readonly cause: string;
  readonly remedy: string;
}

function notUsable({ addressType }: KubeEndpointSlice): Fault {
  return { cause: `is not a usable ${addressType} address`, remedy: 'write a unicast address outside loopback and link-local ranges' };
}

function isClusterIp(range: Prefix): Fault {
  return { cause: `is in ${formatPrefix(range)}, the range of cluster IPs`, remedy: 'write the address of a pod or of a host' };
}

function complaintOf(slice: KubeEndpointSlice, text: string, { cause, remedy }: Fault): Complaint {
  const { namespace, name } = slice;
  return {
    subject: sliceSubject(slice),
    reason: 'InvalidEndpointAddress',
    action: 'CreateLoadbalancerMember',
    note:
      `EndpointSlice/${namespace}/${name} endpoints[].addresses: "${text}" ${cause}, ` +
      `so this endpoint gets no traffic; ${remedy}`,
  };
}

/** A backend that gets no traffic because its namespace is isolated. */
export function complainRefused({ slice, address }: Backend, cause: string): Complaint {
  const { namespace, name, serviceName } = slice;
  return {
    subject: sliceSubject(slice),
    reason: 'BackendRefused',
    action: 'CreateLoadbalancerMember',
    note:
      `EndpointSlice/${namespace}/${name} endpoints[].addresses: "${address}" of Service/${namespace}/${serviceName} gets no traffic, because ${cause}; ` +
      'make the Service in that namespace, and open its services by opencontrail.org/isolation.service: "false"',
  };
}

function sliceSubject({ namespace, name, uid }: KubeEndpointSlice): Complaint['subject'] {
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', namespace, name, uid };
}
