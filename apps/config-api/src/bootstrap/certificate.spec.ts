import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testPki } from '@contrail/testing';
import { publicKeyOfRequest, signCertificate } from './certificate';

const pki = testPki();
const authority = { cert: pki.caCert.toString(), key: pki.caKey.toString() };
const names = {
  commonName: 'vrouter-agent',
  dns: ['vrouter-agent'],
  uris: ['contrail://node/node-1'],
  addresses: ['192.0.2.7', '2001:db8::7'],
};
const validity = { from: new Date(Date.now() - 60_000), to: new Date(Date.now() + 3_600_000) };
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'csr-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

function request(...key: string[]): string {
  openssl('genpkey', ...key, '-out', 'k');
  openssl('req', '-new', '-key', 'k', '-subj', '/CN=whatever', '-out', 'csr');
  return readFileSync(path.join(dir, 'csr'), 'utf8');
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

it.each([
  ['ECDSA P-256', p256],
  ['ECDSA P-384', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384']],
  ['RSA 2048', ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']],
  ['Ed25519', ['-algorithm', 'ED25519']],
])('signs a request with a key of %s so that openssl accepts it', (_, key) => {
  const pem = signCertificate(authority, publicKeyOfRequest(request(...key)), { names, validity });
  writeFileSync(path.join(dir, 'crt'), pem);
  writeFileSync(path.join(dir, 'ca'), authority.cert);
  expect(openssl('verify', '-purpose', 'sslclient', '-CAfile', 'ca', 'crt')).toContain('OK');
  expect(
    openssl(
      'verify',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'vrouter-agent',
      '-CAfile',
      'ca',
      'crt',
    ),
  ).toContain('OK');
  const certificate = new X509Certificate(pem);
  expect(certificate.subject).toBe('CN=vrouter-agent');
  expect(certificate.subjectAltName).toBe(
    'DNS:vrouter-agent, URI:contrail://node/node-1, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7',
  );
  expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(path.join(dir, 'k'))))).toBe(
    true,
  );
});

it('makes well-formed certificates always', () => {
  const spki = publicKeyOfRequest(request(...p256));
  for (let i = 0; i < 300; i += 1) {
    expect(new X509Certificate(signCertificate(authority, spki, { names, validity })).subject).toBe(
      'CN=vrouter-agent',
    );
  }
});

it('refuses a weak key', () => {
  expect(() =>
    publicKeyOfRequest(request('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024')),
  ).toThrow('too weak');
});

it('refuses a request that is not signed by its key', () => {
  const pem = request(...p256);
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  // The last byte belongs to the signature.
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  expect(() => publicKeyOfRequest(forged)).toThrow('is not signed by the key that it carries');
});

it.each([
  '',
  'garbage',
  '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----',
])('refuses %j', (pem) => {
  expect(() => publicKeyOfRequest(pem)).toThrow(/certificate_request_pem: .*openssl req -new/);
});

it('refuses an authority whose key is another one', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const spki = publicKeyOfRequest(request(...p256));
  expect(() => signCertificate({ cert: authority.cert, key }, spki, { names, validity })).toThrow(
    'CA_KEY_FILE',
  );
});
