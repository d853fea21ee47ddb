import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span } from '@opentelemetry/api';
import { tracer, traceparentOf } from './tracing';

/** One call of a method, from where it begins until it was answered. */
export interface TracedCall {
  /** W3C traceparent for what the call causes; '' when the process traces nothing. */
  readonly traceparent: string;
  /** @param failure gRPC status and text; absent when the call succeeded. */
  end(failure?: { readonly code: number; readonly message: string }): void;
}

/** The spans of a gRPC method. */
export interface TracedMethod {
  /** @param traceparent what the client sent; begins a trace when that is none. */
  serve(traceparent: string): TracedCall;
  /** Continues the span in which the caller runs. */
  call(): TracedCall;
}

/** Flags last; their lowest bit says that somebody records the trace. */
const form = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]([0-9a-f])$/;

/**
 * Most calls of a busy server belong to traces that nobody records: they get no span and no context of their
 * own, only the name of their trace. So a handler does not run inside its span; it passes `traceparent` on.
 *
 * @param path "/contrail.config.v1.ConfigService/Get"
 */
export function tracedMethod(path: string): TracedMethod {
  const [, service = '', method = ''] = path.split('/');
  const name = `grpc.${service}/${method}`;
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
  const server = { kind: SpanKind.SERVER, attributes };
  const client = { kind: SpanKind.CLIENT, attributes };
  return {
    serve: (traceparent) => {
      const flags = form.exec(traceparent)?.[1];
      if (flags === undefined) return begin(name, server, ROOT_CONTEXT);
      if ((parseInt(flags, 16) & 1) === 0) return unrecorded(traceparent);
      return begin(name, server, propagation.extract(ROOT_CONTEXT, { traceparent }));
    },
    call: () => {
      const active = trace.getActiveSpan();
      if (active !== undefined && !active.isRecording()) return unrecorded(traceparentOf(active));
      return begin(name, client, context.active());
    },
  };
}

function unrecorded(traceparent: string): TracedCall {
  return { traceparent, end: () => undefined };
}

function begin(name: string, options: { kind: SpanKind; attributes: Attributes }, parent: Context): TracedCall {
  const span = tracer().startSpan(name, options, parent);
  const traceparent = traceparentOf(span);
  return span.isRecording() ? { traceparent, end: (failure) => finish(span, failure) } : unrecorded(traceparent);
}

function finish(span: Span, failure: { readonly code: number; readonly message: string } | undefined): void {
  span.setAttribute('rpc.grpc.status_code', failure?.code ?? 0);
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
  span.end();
}
