import { counter, histogram } from '@contrail/telemetry';

export const restRequests = counter(
  'contrail_config_api_rest_requests_total',
  'REST requests by method and HTTP status.',
  ['method', 'code'],
);
export const restDuration = histogram(
  'contrail_config_api_rest_request_duration_seconds',
  'Time to answer a REST request.',
  ['method'],
  [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
);
