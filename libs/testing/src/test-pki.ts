import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestCertificate {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface TestPki {
  readonly caCert: Buffer;
  readonly caKey: Buffer;
  /** A certificate signed by this CA; `node` adds the URI name of an agent. */
  issue(service: string, options?: { node?: string; days?: number }): TestCertificate;
}

/** A certificate authority of its own, made with openssl; about 30 ms a certificate. */
export function testPki(): TestPki {
  const dir = mkdtempSync(path.join(tmpdir(), 'test-pki-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  try {
    newKey(openssl, 'ca.key');
    openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=contrail-test-ca', '-days', '2', '-out', 'ca.crt');
    const caCert = readFileSync(path.join(dir, 'ca.crt'));
    const caKey = readFileSync(path.join(dir, 'ca.key'));
    return { caCert, caKey, issue: (service, options) => issue({ caCert, caKey }, service, options) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

type Openssl = (...args: string[]) => void;

function newKey(openssl: Openssl, file: string): void {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);
}

function issue(
  ca: { caCert: Buffer; caKey: Buffer },
  service: string,
  options: { node?: string; days?: number } = {},
): TestCertificate {
  const dir = mkdtempSync(path.join(tmpdir(), 'test-pki-'));
  const openssl: Openssl = (...args) => {
    execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  try {
    writeFileSync(path.join(dir, 'ca.crt'), ca.caCert);
    writeFileSync(path.join(dir, 'ca.key'), ca.caKey, { mode: 0o600 });
    const names = [`DNS:${service}`, 'DNS:localhost', 'IP:127.0.0.1', ...(options.node ? [`URI:contrail://node/${options.node}`] : [])];
    writeFileSync(path.join(dir, 'ext'), `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    newKey(openssl, 'tls.key');
    openssl('req', '-new', '-key', 'tls.key', '-subj', `/CN=${service}`, '-out', 'tls.csr');
    openssl('x509', '-req', '-in', 'tls.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(options.days ?? 1), '-extfile', 'ext', '-out', 'tls.crt');
    return { ca: ca.caCert, cert: readFileSync(path.join(dir, 'tls.crt')), key: readFileSync(path.join(dir, 'tls.key')) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
