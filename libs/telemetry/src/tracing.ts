import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { errorText } from '@contrail/errors';
import { SpanContextManager } from './span-context-manager';

export interface Telemetry {
  /** Exports what is left. */
  stop(): Promise<void>;
}

export interface TelemetryOptions {
  /** OTLP/gRPC, "http://host:4317"; undefined: spans are made (contexts propagate) but not exported. */
  readonly endpoint?: string | undefined;
  /** Part of root spans that are sampled, 0 to 1. */
  readonly ratio?: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

const propagator = new W3CTraceContextPropagator();
let service = 'contrail';

/**
 * Starts tracing. Unary gRPC calls have spans (`tracedMethod`); streams that live for days (Watch, Sync) have
 * none, because they would never be exported.
 */
export function startTelemetry(serviceName: string, options?: TelemetryOptions): Telemetry {
  const settings = options ?? fromEnvironment();
  service = serviceName;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, ...settings.attributes }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.ratio ?? 1) }),
    spanProcessors: settings.endpoint
      ? [new BatchSpanProcessor(new OTLPTraceExporter({ url: settings.endpoint }), { scheduledDelayMillis: 1000 })]
      : [],
  });
  provider.register({ propagator, contextManager: new SpanContextManager() });
  return { stop: () => provider.shutdown() };
}

/** The environment variables of OpenTelemetry's own specification. */
function fromEnvironment(): TelemetryOptions {
  const ratio = Number(process.env['OTEL_TRACES_SAMPLER_ARG'] ?? '1');
  return {
    endpoint: process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined,
    ratio: Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 1,
    attributes: process.env['NODE_NAME'] ? { 'k8s.node.name': process.env['NODE_NAME'] } : {},
  };
}

export interface SpanOptions {
  /** W3C traceparent to continue; absent or empty: the current span is the parent, or none. */
  readonly traceparent?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

/** Runs `run` inside a new span; a throw is recorded and passed on. */
export async function withSpan<T>(name: string, options: SpanOptions, run: () => Promise<T>): Promise<T> {
  const { span, inside } = startSpan(name, options);
  try {
    return await context.with(inside, run);
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** As `withSpan`, for work that does not wait and that many traces may share: a span in each of them, `run` in the last. */
export function withSpansSync<T>(name: string, traces: readonly SpanOptions[], run: () => T): T {
  const started = traces.map((options) => startSpan(name, options));
  try {
    return context.with(started.at(-1)?.inside ?? context.active(), run);
  } catch (error) {
    for (const { span } of started) fail(span, error);
    throw error;
  } finally {
    for (const { span } of started) span.end();
  }
}

/** Adds attributes to the span in which the caller runs. */
export function annotateSpan(attributes: Readonly<Record<string, string | number | boolean>>): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** W3C traceparent of the span in which the caller runs; '' when there is none. */
export function currentTraceparent(): string {
  return traceparentOf(trace.getActiveSpan());
}

/** W3C traceparent of a span; '' for none. */
export function traceparentOf(span: Span | undefined): string {
  const named = span?.spanContext();
  if (!named || !trace.isSpanContextValid(named)) return '';
  return `00-${named.traceId}-${named.spanId}-0${named.traceFlags & 1}`;
}

/** Makes the spans of this process. */
export function tracer(): Tracer {
  return trace.getTracer(service);
}

function startSpan(name: string, options: SpanOptions): { span: Span; inside: Context } {
  const parent = options.traceparent
    ? propagation.extract(ROOT_CONTEXT, { traceparent: options.traceparent })
    : context.active();
  const span = tracer().startSpan(name, { kind: KINDS[options.kind ?? 'internal'], attributes: { ...options.attributes } }, parent);
  return { span, inside: trace.setSpan(parent, span) };
}

function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorText(error) });
  if (error instanceof Error) span.recordException(error);
}
