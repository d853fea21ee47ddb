import type { Backend, Service } from '@contrail/proto-gen/control/v1/messages';
import { ContrailError } from '@contrail/errors';
import { checkedAddress, checkedNumber, checkedPrefix } from './checked';
import type { Facts } from './facts';
import type { BackendValue } from '../datapath/port';
import { backendText } from './backend-text';
import type { UnitRows } from './unit-rows';

const ports = { min: 1, max: 65535 };

/**
 * Translates one service: which of its backends this node balances over, each once, sorted. An
 * external address is not taken over as a whole: it may be a node's own.
 */
export function serviceRows(service: Service, facts: Facts): UnitRows {
  if (!service.key) throw new ContrailError('INVALID_ARGUMENT', 'service.key: is absent');
  const { vrf, address, protocol, port } = service.key;
  return {
    serviceAddresses: service.external ? [] : [{ vrf, address: checkedAddress('service.key.address', address) }],
    services: [
      {
        key: {
          vrf,
          address: checkedAddress('service.key.address', address),
          protocol: checkedNumber('service.key.protocol', protocol, { min: 1, max: 255 }),
          port: checkedNumber('service.key.port', port, ports),
        },
        flags: {
          affinityTimeoutS: service.affinityTimeoutS,
          hasSourceRanges: service.sourceRanges.length > 0,
          external: service.external,
          internalLocalOnly: service.internalLocalOnly,
          externalLocalOnly: service.externalLocalOnly,
          hostPort: false,
        },
        sourceRanges: service.sourceRanges.map((range) => checkedPrefix('service.source_ranges', range)),
        backends: usableBackends(service, facts.self),
      },
    ],
  };
}

/**
 * Ready backends; when there are none, those that still serve while they terminate. The entry of an
 * external address follows the external traffic policy, any other the internal one.
 */
function usableBackends(service: Service, self: string): BackendValue[] {
  const localOnly = service.external ? service.externalLocalOnly : service.internalLocalOnly;
  const reachable = service.backends.filter((backend) => !localOnly || backend.node === self);
  const ready = reachable.filter((backend) => backend.ready);
  const chosen =
    ready.length > 0 ? ready : reachable.filter((backend) => backend.serving && backend.terminating);
  const unique = new Map(chosen.map(toBackendValue).map((value) => [backendText(value), value]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function toBackendValue(backend: Backend): BackendValue {
  return {
    address: checkedAddress('service.backends.address', backend.address),
    port: checkedNumber('service.backends.port', backend.port, ports),
    vrf: backend.vrf,
  };
}
