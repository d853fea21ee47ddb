import { inClusterConnection } from '@contrail/kube';
import { loadConfig } from './config';
import { startDns, type DnsProcess } from './dns-process';
import { registerState } from './serve/metrics';

/** Starts the process with the environment and the ServiceAccount of its pod. */
export async function run(env: NodeJS.ProcessEnv): Promise<DnsProcess> {
  const config = loadConfig(env);
  const dns = await startDns(config, inClusterConnection(config.kubernetes));
  registerState(dns.state);
  return dns;
}
