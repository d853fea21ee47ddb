export { startAdminServer } from './admin-server';
export type { AdminOptions, AdminServer, Check } from './admin-server';
export { isDebugWritten, logger } from './logger';
export type { LogFields, Logger } from './logger';
export { counter, gauge, histogram, metricsText } from './metrics';
export { runService } from './run-service';
export type { RunningService, RunServiceOptions } from './run-service';
export { annotateSpan, currentTraceparent, startTelemetry, withSpan, withSpanSync } from './tracing';
export type { SpanOptions, Telemetry, TelemetryOptions } from './tracing';
