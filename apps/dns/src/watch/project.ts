import { addressKey, tryParseAddress, type Address } from '@contrail/net';
import type { KubeKind, KubeObject, kubeKinds } from '@contrail/kube';
import type { EndpointRecord, PodRecord, PortRecord, ServiceRecord, SliceRecord } from '../zone/kube-records';

type ObjectOf<K> = K extends KubeKind<infer T extends KubeObject> ? T : never;
type Service = ObjectOf<typeof kubeKinds.services>;
type EndpointSlice = ObjectOf<typeof kubeKinds.endpointSlices>;
type Pod = ObjectOf<typeof kubeKinds.pods>;
type Namespace = ObjectOf<typeof kubeKinds.namespaces>;

const serviceLabel = 'kubernetes.io/service-name';

/** @returns undefined for a Service that has no address yet. */
export function projectService(raw: Service): ServiceRecord | undefined {
  const { metadata, spec } = raw;
  if (metadata?.name === undefined || metadata.namespace === undefined || spec === undefined) return undefined;
  const isExternal = spec.type === 'ExternalName';
  const isHeadless = !isExternal && spec.clusterIP === 'None';
  const texts = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const clusterIps = isExternal || isHeadless ? [] : parseAddresses(texts);
  if (!isExternal && !isHeadless && clusterIps.length === 0) return undefined;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    kind: isExternal ? 'externalName' : isHeadless ? 'headless' : 'clusterIP',
    clusterIps,
    externalName: isExternal ? (spec.externalName ?? '') : '',
    ports: projectPorts(spec.ports),
    publishNotReadyAddresses: spec.publishNotReadyAddresses === true,
  };
}

/** @returns undefined for a slice of no Service, or of addresses that are names. */
export function projectSlice(raw: EndpointSlice): SliceRecord | undefined {
  const service = raw.metadata?.labels?.[serviceLabel];
  const namespace = raw.metadata?.namespace;
  if (service === undefined || namespace === undefined || raw.addressType === 'FQDN') return undefined;
  return {
    namespace,
    service,
    ports: projectPorts(raw.ports),
    endpoints: (raw.endpoints ?? []).map(
      (endpoint): EndpointRecord => ({
        addresses: parseAddresses(endpoint.addresses),
        hostname: endpoint.hostname ?? '',
        // Unknown counts as ready.
        isReady: endpoint.conditions?.ready !== false,
      }),
    ),
  };
}

/** @returns undefined for a pod without an address of its own: on the host network, or not running. */
export function projectPod(raw: Pod): PodRecord | undefined {
  const { metadata, spec, status } = raw;
  if (metadata?.namespace === undefined || spec?.hostNetwork === true) return undefined;
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined;
  const addresses = parseAddresses((status?.podIPs ?? []).map((entry) => entry.ip ?? ''));
  return addresses.length === 0 ? undefined : { namespace: metadata.namespace, addresses };
}

export function projectNamespace(raw: Namespace): string | undefined {
  return raw.metadata?.name;
}

/** What is no address is left out: slices may come from anybody. Each address once. */
function parseAddresses(texts: readonly string[]): Address[] {
  const found = new Map<string, Address>();
  for (const text of texts) {
    const address = tryParseAddress(text);
    if (address !== undefined) found.set(addressKey(address), address);
  }
  return [...found.values()];
}

interface RawPort {
  readonly name?: string;
  readonly protocol?: string;
  readonly port?: number;
}

function projectPorts(ports: readonly RawPort[] | undefined): PortRecord[] {
  return (ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
    port === undefined ? [] : [{ name: name.toLowerCase(), protocol: protocol.toLowerCase(), port }],
  );
}
