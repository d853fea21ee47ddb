import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { run } from './run';

/** Files of a certificate and its key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Path without `.crt` and `.key`. */
  readonly base: string;
  readonly commonName: string;
  readonly organization?: string;
  /** As in openssl: `DNS:localhost`, `IP:192.0.2.1`. */
  readonly names?: readonly string[];
}

const days = '3650';
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];

/** Makes a self-signed authority; keeps one that exists. */
export async function createAuthority(base: string, commonName: string): Promise<KeyPair> {
  const pair = { certificate: `${base}.crt`, key: `${base}.key` };
  if (existsSync(pair.certificate)) return pair;
  await mkdir(path.dirname(base), { recursive: true });
  const extensions = [
    'basicConstraints=critical,CA:TRUE',
    'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
  ];
  await run('openssl', [
    ...['req', '-x509', ...curve, '-days', days, '-subj', `/CN=${commonName}`],
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...['-keyout', pair.key, '-out', pair.certificate],
  ]);
  return pair;
}

/**
 * Makes a key and a certificate for servers and clients, signed by `authority`; keeps one that
 * exists.
 */
export async function issueCertificate(
  authority: KeyPair,
  request: CertificateRequest,
): Promise<KeyPair> {
  const pair = { certificate: `${request.base}.crt`, key: `${request.base}.key` };
  if (existsSync(pair.certificate)) return pair;
  await mkdir(path.dirname(request.base), { recursive: true });
  const organization = request.organization === undefined ? '' : `/O=${request.organization}`;
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    'extendedKeyUsage=serverAuth,clientAuth',
    ...(request.names === undefined ? [] : [`subjectAltName=${request.names.join(',')}`]),
  ];
  await run('openssl', [
    ...[
      'req',
      '-x509',
      ...curve,
      '-days',
      days,
      '-subj',
      `${organization}/CN=${request.commonName}`,
    ],
    ...['-CA', authority.certificate, '-CAkey', authority.key],
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...['-keyout', pair.key, '-out', pair.certificate],
  ]);
  return pair;
}

/** A key pair that signs service account tokens. */
export async function createSigningKey(
  base: string,
): Promise<{ readonly publicKey: string; readonly key: string }> {
  const pair = { publicKey: `${base}.pub`, key: `${base}.key` };
  await mkdir(path.dirname(base), { recursive: true });
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', pair.key]);
  await run('openssl', ['ec', '-in', pair.key, '-pubout', '-out', pair.publicKey]);
  return pair;
}

/**
 * Writes a kubeconfig with everything inline, so that it can be copied into a pod or to another
 * folder.
 */
export async function writeKubeconfig(
  file: string,
  access: {
    readonly server: string;
    readonly authority: KeyPair;
    readonly client: KeyPair;
    readonly user: string;
  },
): Promise<void> {
  const inline = async (source: string): Promise<string> =>
    (await readFile(source)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'sandbox',
        cluster: {
          server: access.server,
          'certificate-authority-data': await inline(access.authority.certificate),
        },
      },
    ],
    users: [
      {
        name: access.user,
        user: {
          'client-certificate-data': await inline(access.client.certificate),
          'client-key-data': await inline(access.client.key),
        },
      },
    ],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: access.user } }],
    'current-context': 'sandbox',
  };
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(config, undefined, 2), { mode: 0o600 });
}
