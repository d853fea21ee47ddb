import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Every metric of the process; names are contrail_<app>_<noun>_<unit>. */
const registry = new Registry();
let defaults = false;

export function counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
  return new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
}

/** @param collect sets the value when it is scraped. */
export function gauge<L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[] = [],
  collect?: (this: Gauge<L>) => void,
): Gauge<L> {
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [registry], ...(collect ? { collect } : {}) });
}

export function histogram<L extends string>(
  name: string,
  help: string,
  labelNames: readonly L[] = [],
  buckets?: readonly number[],
): Histogram<L> {
  return new Histogram({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    ...(buckets ? { buckets: [...buckets] } : {}),
  });
}

/** Prometheus text of all metrics, the process' own included. */
export async function metricsText(): Promise<{ contentType: string; body: string }> {
  if (!defaults) {
    collectDefaultMetrics({ register: registry });
    defaults = true;
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
