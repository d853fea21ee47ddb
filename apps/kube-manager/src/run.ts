import { ContrailError } from '@contrail/errors';
import { EventRecorder, inClusterConnection, kubeconfigConnection, KubeClient, LeaseElector } from '@contrail/kube';
import { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { backoffDelayMs, eagerStart, systemClock } from '@contrail/reconcile';
import { closeClient, createClient, loadTls } from '@contrail/rpc';
import { logger, startAdminServer } from '@contrail/telemetry';
import type { Config } from './config';
import { lead } from './lead';
import { Health } from './serve/health';
import type { Cluster } from './translate/cluster';
import { checkServiceSubnets, readClusterUid, readServiceCidrs } from './watch/cluster-facts';

const log = logger('run');
const factsBackoff = { firstMs: 250, maxMs: 5_000, factor: 2, jitter: 0.5, eager: eagerStart };

/**
 * Runs until the signal is aborted.
 *
 * @throws ContrailError FAILED_PRECONDITION when configuration and cluster disagree.
 */
export async function run(config: Config, signal: AbortSignal): Promise<void> {
  const health = new Health();
  const connection =
    config.kubeconfig === undefined ? inClusterConnection(config.kubernetes) : kubeconfigConnection(config.kubeconfig);
  const kube = new KubeClient(connection);
  const tls = loadTls(config.tls);
  const configClient = createClient(ConfigServiceClient, { address: config.configApiAddress, service: 'config-api', tls });
  const ipamClient = createClient(IpamServiceClient, { address: config.ipamAddress, service: 'ipam', tls });
  const admin = await startAdminServer({ address: config.adminAddress, live: () => health.deadlocks(), ready: () => health.problems() });
  const events = new EventRecorder({
    client: kube,
    controller: 'contrail.io/kube-manager',
    instance: config.identity,
    onProblem: (error) => log.warn('an event could not be written', { error }),
  });
  try {
    const cluster = await readCluster(config, kube, { health, signal });
    if (cluster === undefined) return;
    await takeTurns(config, kube, {
      health,
      signal,
      work: (leading) =>
        lead(
          {
            ...{ cluster, kube, events, health, config: configClient, ipam: ipamClient },
            sweepIntervalMs: config.sweepIntervalMs,
            progressIntervalMs: config.progressIntervalMs,
          },
          leading,
        ),
    });
  } finally {
    await events.flush();
    await admin.stop();
    closeClient(configClient);
    closeClient(ipamClient);
    tls.close();
    kube.close();
  }
}

interface Surroundings {
  readonly health: Health;
  readonly signal: AbortSignal;
}

/** Waits for the API server. @returns undefined when the signal came first. */
async function readCluster(config: Config, kube: KubeClient, { health, signal }: Surroundings): Promise<Cluster | undefined> {
  let problem = 'has not answered yet';
  const silence = health.report({ ready: () => [`Kubernetes API: ${problem}`] });
  try {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        const uid = await readClusterUid(kube, signal);
        const serviceCidrs = await readServiceCidrs(kube, signal);
        if (serviceCidrs === undefined) log.info('the cluster has no ServiceCIDR objects; SERVICE_SUBNETS is taken as it is');
        else checkServiceSubnets(config.serviceSubnets, serviceCidrs);
        return toCluster(config, uid);
      } catch (error) {
        if (error instanceof ContrailError && error.code === 'FAILED_PRECONDITION') throw error;
        problem = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) log.warn('the cluster cannot be read yet', { error });
        await systemClock.sleep(backoffDelayMs(factsBackoff, failures, Math.random()), signal).catch(() => undefined);
      }
    }
    return undefined;
  } finally {
    silence();
  }
}

/** Works while this process holds the Lease, and stands by otherwise. */
async function takeTurns(
  config: Config,
  kube: KubeClient,
  { health, signal, work }: Surroundings & { readonly work: (leading: AbortSignal) => Promise<void> },
): Promise<void> {
  let problem: string | undefined;
  const elector = new LeaseElector({
    client: kube,
    namespace: config.leaseNamespace,
    name: 'kube-manager',
    identity: config.identity,
    onProblem: (error) => {
      problem = error instanceof Error ? error.message : String(error);
      log.warn('the Lease cannot be read or written', { error });
    },
    onSuccess: () => {
      problem = undefined;
    },
  });
  const silence = health.report({ ready: () => (problem === undefined ? [] : [`Lease: ${problem}`]) });
  try {
    while (!signal.aborted) {
      log.info('stands by for the Lease', { identity: config.identity });
      const outcome = await elector.run(async (leading) => {
        log.info('leads', { identity: config.identity });
        await work(leading);
      }, signal);
      log.info('leads no more', { outcome });
    }
  } finally {
    silence();
  }
}

function toCluster(config: Config, uid: string): Cluster {
  return {
    name: config.clusterName,
    uid,
    domain: config.domain,
    owner: config.owner,
    sharedProject: config.clusterProject,
    podSubnets: config.podSubnets,
    serviceSubnets: config.serviceSubnets,
    ipFabricSubnets: config.ipFabricSubnets,
    ipFabricSnat: config.ipFabricSnat,
  };
}
