import { ContrailError } from '@contrail/errors';
import { counter, gauge, histogram } from '@contrail/telemetry';

const requests = counter(
  'contrail_config_api_requests_total',
  'Requests by method and gRPC code.',
  ['method', 'code'],
);
const durations = histogram(
  'contrail_config_api_request_duration_seconds',
  'Time to answer a request.',
  ['method'],
  [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
);

export const watchers = gauge(
  'contrail_config_api_watchers_count',
  'Open Watch streams by caller.',
  ['caller'],
);
export const changesSent = counter(
  'contrail_config_api_changes_sent_total',
  'Changes sent to watchers.',
  ['caller'],
);
export const resyncs = counter(
  'contrail_config_api_resyncs_total',
  'Watchers told to begin again.',
  ['caller'],
);
export const transactionRetries = counter(
  'contrail_config_api_transaction_retries_total',
  'Transactions repeated because the same objects changed meanwhile.',
);
export const storeUp = gauge(
  'contrail_config_api_store_up_bool',
  '1 while the store can be read and written.',
);

interface MethodMetrics {
  readonly succeed: () => void;
  readonly observe: (seconds: number) => void;
}

/** Finding the series of a method takes as long as counting in it. */
const methods = new Map<string, MethodMetrics>();

function metricsOf(method: string): MethodMetrics {
  const known = methods.get(method);
  if (known !== undefined) return known;
  const succeeded = requests.labels({ method, code: 'OK' });
  const times = durations.labels({ method });
  const made = { succeed: () => succeeded.inc(), observe: (seconds: number) => times.observe(seconds) };
  methods.set(method, made);
  return made;
}

/** Counts and times one request; errors pass through. */
export async function measured<T>(method: string, work: () => Promise<T>): Promise<T> {
  const { succeed, observe } = metricsOf(method);
  const began = performance.now();
  try {
    const answer = await work();
    succeed();
    return answer;
  } catch (error) {
    requests.inc({ method, code: error instanceof ContrailError ? error.code : 'INTERNAL' });
    throw error;
  } finally {
    observe((performance.now() - began) / 1000);
  }
}
