import { takeSettings } from '@contrail/env';
import { startTelemetry } from '@contrail/telemetry';

takeSettings(process.env);
// Before anything loads grpc-js, so that its calls are traced.
const telemetry = startTelemetry('kube-manager');

void import('./process.js')
  .then(({ runProcess }) => runProcess())
  .finally(() => telemetry.stop());
