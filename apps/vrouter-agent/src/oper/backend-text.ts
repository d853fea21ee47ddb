import { addressKey } from '@contrail/net';
import type { BackendValue } from '../datapath/port';

/** Equal backends, equal text: how a member is recognised in slots, also after a restart. */
export function backendText(backend: BackendValue): string {
  return `${backend.vrf}|${addressKey(backend.address)}|${backend.port}`;
}
