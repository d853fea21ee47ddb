import { counter, gauge, histogram } from '@contrail/telemetry';

/** Registered once for the process; the leader of the moment fills them. */
export const metrics = {
  events: counter('contrail_kube_manager_events_total', 'Kubernetes events that changed something we use.', [
    'kind',
    'event',
  ]),
  passes: histogram(
    'contrail_kube_manager_reconcile_seconds',
    'Time of one pass over a root object.',
    ['kind', 'outcome'],
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
  ),
  latency: histogram(
    'contrail_kube_manager_event_to_write_seconds',
    'From the Kubernetes event to the end of the pass that it caused.',
    ['kind'],
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
  ),
  operations: counter('contrail_kube_manager_operations_total', 'Operations written to config-api.'),
  complaints: counter('contrail_kube_manager_warnings_total', 'Warning events on Kubernetes objects.', ['reason']),
  leader: gauge('contrail_kube_manager_leader', '1 while this process is the active one.'),
  resources: gauge('contrail_kube_manager_cached_resources', 'Objects of config-api in the cache.'),
  queue: gauge('contrail_kube_manager_queue_keys', 'Root objects that wait for a pass.'),
  unsettled: gauge('contrail_kube_manager_unsettled_objects', 'Root objects that are not done.', ['state']),
  lag: gauge(
    'contrail_kube_manager_propagation_lag_revisions',
    'Revisions of config-api that a node has not programmed yet.',
    ['node'],
  ),
  exceptions: gauge(
    'contrail_kube_manager_propagation_exceptions',
    'Objects that a node could not program.',
    ['node'],
  ),
} as const;
