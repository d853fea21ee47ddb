import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { closeClient, createClient, staticTls } from '@contrail/rpc';
import { kubectlJson } from './cluster';

export interface ContrailClients {
  readonly config: ConfigServiceClient;
  readonly ipam: IpamServiceClient;
  close(): void;
}

/** Our gRPC services, called from this machine with the certificate of contrailctl. */
export async function openContrailClients(): Promise<ContrailClients> {
  const read = async (kind: string, name: string): Promise<Record<string, string>> =>
    (await kubectlJson<{ data: Record<string, string> }>(['-n', 'contrail', 'get', kind, name])).data;
  const addresses = await read('configmap', 'contrail-addresses');
  const secret = await read('secret', 'contrail-tls-contrailctl');
  const decode = (key: string): Buffer => Buffer.from(secret[key] ?? '', 'base64');
  const tls = staticTls({ cert: decode('tls.crt'), key: decode('tls.key'), ca: decode('ca.crt') });
  const config = createClient(ConfigServiceClient, { address: addresses['CONFIG_API_ADDRESS'] ?? '', service: 'config-api', tls });
  const ipam = createClient(IpamServiceClient, { address: addresses['IPAM_ADDRESS'] ?? '', service: 'ipam', tls });
  return {
    config,
    ipam,
    close: () => {
      closeClient(config);
      closeClient(ipam);
    },
  };
}
