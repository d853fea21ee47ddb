import { closeClient, createClient } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import type { ResourceStore } from '@contrail/store';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type { Config } from './config';
import { noAddresses } from './rest/addresses/addresses';
import { IpamAddresses } from './rest/addresses/ipam-addresses';
import type { Authorizer } from './rest/auth/authorizer';
import type { Access } from './rest/auth/kubernetes-access';
import { restHandler } from './rest/handler';
import { startRestServer } from './rest/http/rest-server';
import type { RunningRestServer } from './rest/http/rest-server';
import type { Transactor } from './transact/transactor';

export interface RestParts {
  readonly config: Config;
  readonly tls: TlsSource;
  readonly access: Access;
  readonly authorizer: Authorizer;
  readonly store: ResourceStore;
  readonly transactor: Transactor;
}

/** Serves the VNC REST API behind TLS, and on a unix socket without where the configuration says so. */
export async function startRest(parts: RestParts): Promise<RunningRestServer> {
  const { config, tls, access, authorizer, store, transactor } = parts;
  const ipam =
    config.ipamAddress === undefined
      ? undefined
      : createClient(IpamServiceClient, { address: config.ipamAddress, service: 'ipam', tls });
  const addresses = ipam === undefined ? noAddresses : new IpamAddresses(ipam, store);
  const handle = restHandler({ store, transactor, access, authorizer, addresses });
  const secure = await startRestServer({ address: config.restListenAddress, tls }, handle);
  const plain =
    config.restPlainSocket === undefined
      ? undefined
      : await startRestServer({ address: { path: config.restPlainSocket } }, handle);
  return {
    port: secure.port,
    stop: async () => {
      await Promise.all([secure.stop(), plain?.stop()]);
      if (ipam !== undefined) closeClient(ipam);
    },
  };
}
