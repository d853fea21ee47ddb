import { startTelemetry } from '@contrail/telemetry';

// Before anything loads grpc-js, so that its calls are traced.
const telemetry = startTelemetry('kube-manager');

void import('./process.js')
  .then(({ runProcess }) => runProcess())
  .finally(() => telemetry.stop());
