import { loadConfig } from './config';
import { formatUpstream } from './forward/resolv-conf';

const minimum = { KUBERNETES_SERVICE_HOST: '192.0.2.1', RESOLV_CONF_FILE: '/nonexistent' };

describe('loadConfig', () => {
  it('needs nothing but the API server', () => {
    const config = loadConfig(minimum);
    expect(config).toMatchObject({
      dnsAddress: { host: '0.0.0.0', port: 53 },
      kubernetes: { host: '192.0.2.1', port: 443 },
      podRecords: 'insecure',
      recordTtl: 5,
      upstreams: [],
      spanRatio: 0,
    });
  });

  it('traces every question where there is a collector, unless told otherwise', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:4317' };
    expect(loadConfig({ ...minimum, ...endpoint }).spanRatio).toBe(1);
    expect(loadConfig({ ...minimum, ...endpoint, QUERY_SPAN_RATIO: '0.01' }).spanRatio).toBe(0.01);
  });

  it('forwards to FORWARDERS, or to nobody', () => {
    const config = loadConfig({ ...minimum, FORWARDERS: '192.0.2.53,[2001:db8::1]:5353' });
    expect(config.upstreams.map(formatUpstream)).toEqual(['192.0.2.53:53', '[2001:db8::1]:5353']);
    expect(loadConfig({ ...minimum, FORWARDERS: 'none' }).upstreams).toEqual([]);
  });

  it('reports every problem at once', () => {
    const env = {
      FORWARDERS: '10.96.0.10,example.com',
      CLUSTER_DNS: '10.96.0.10,x',
      POD_RECORDS: 'maybe',
      CLUSTER_DOMAIN: 'a..b',
      QUERY_SPAN_RATIO: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:4317',
      RECORD_TTL_SECONDS: '4000',
    };
    const problems = (): unknown => loadConfig(env);
    for (const part of ['KUBERNETES_SERVICE_HOST', 'our own address', '"example.com"', 'CLUSTER_DNS has "x"', 'POD_RECORDS is "maybe"', 'CLUSTER_DOMAIN', 'QUERY_SPAN_RATIO is "2"', 'RECORD_TTL_SECONDS is "4000"']) {
      expect(problems).toThrow(part);
    }
  });
});
