/**
 * `npx nx serve config-api`: the whole service against a real Redis of its own, with certificates made
 * for the session. Its neighbours only call it, so there are no fakes; token exchange needs a cluster.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTelemetry } from '@contrail/telemetry';

const telemetry = startTelemetry('config-api');

async function main(): Promise<void> {
  const [{ startRedis, testPki }, { loadConfig }, { run }] = await Promise.all([
    import('@contrail/testing'),
    import('../src/config.js'),
    import('../src/run.js'),
  ]);
  const folder = mkdtempSync(path.join(tmpdir(), 'config-api-'));
  const pki = testPki();
  const save = (name: string, content: Buffer): string => {
    writeFileSync(path.join(folder, name), content, { mode: 0o600 });
    return path.join(folder, name);
  };
  const own = pki.issue('config-api');
  const client = pki.issue('contrailctl');
  save('contrailctl.crt', client.cert);
  save('contrailctl.key', client.key);
  const redis = await startRedis();
  const running = await run(
    loadConfig({
      LISTEN_ADDRESS: '127.0.0.1:9001',
      BOOTSTRAP_LISTEN_ADDRESS: '127.0.0.1:9011',
      ADMIN_ADDRESS: '127.0.0.1:9101',
      REDIS_URL: redis.url,
      TLS_CERT_FILE: save('tls.crt', own.cert),
      TLS_KEY_FILE: save('tls.key', own.key),
      TLS_CA_FILE: save('ca.crt', own.ca),
      CA_CERT_FILE: save('authority.crt', pki.caCert),
      CA_KEY_FILE: save('authority.key', pki.caKey),
      ...process.env,
    }),
  );
  process.stdout.write(
    `config-api serves gRPC on 127.0.0.1:${running.port}; a client certificate is in ${folder}:\n` +
      `  contrailctl.crt contrailctl.key ca.crt\nMetrics: http://127.0.0.1:${running.adminPort}/metrics\n`,
  );
  const stop = async (): Promise<void> => {
    await running.stop();
    await redis.stop();
    await telemetry.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

void main();
