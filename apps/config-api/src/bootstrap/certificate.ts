import {
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import { parseAddress } from '@contrail/net';
import {
  derBitString,
  derContext,
  derInteger,
  derObjectId,
  derSequence,
  derTag,
  derTime,
  encodeDer,
  parseDer,
} from './der';
import type { DerValue } from './der';

/** Signs certificates; `cert` and `key` are PEM texts. */
export interface CertificateAuthority {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateNames {
  readonly commonName: string;
  readonly dns: readonly string[];
  readonly uris: readonly string[];
  /** Texts of addresses. */
  readonly addresses: readonly string[];
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

interface SignatureAlgorithm {
  readonly objectId: string;
  /** undefined: the algorithm has a digest of its own. */
  readonly digest: string | undefined;
  readonly nullParameters: boolean;
}

const algorithms: readonly SignatureAlgorithm[] = [
  { objectId: '1.2.840.10045.4.3.2', digest: 'sha256', nullParameters: false },
  { objectId: '1.2.840.10045.4.3.3', digest: 'sha384', nullParameters: false },
  { objectId: '1.2.840.10045.4.3.4', digest: 'sha512', nullParameters: false },
  { objectId: '1.2.840.113549.1.1.11', digest: 'sha256', nullParameters: true },
  { objectId: '1.2.840.113549.1.1.12', digest: 'sha384', nullParameters: true },
  { objectId: '1.2.840.113549.1.1.13', digest: 'sha512', nullParameters: true },
  { objectId: '1.3.101.112', digest: undefined, nullParameters: false },
];

const rsaBitsMin = 2048;
const requestLengthMax = 16_384;

/**
 * Public key (SubjectPublicKeyInfo) of a PKCS#10 request whose signature is right; its subject and wishes
 * are not looked at.
 *
 * @throws ContrailError INVALID_ARGUMENT
 */
export function publicKeyOfRequest(pem: string): Buffer {
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END/.exec(
    pem,
  )?.[1];
  if (body === undefined || pem.length > requestLengthMax)
    throw badRequest('is no PEM text of a PKCS#10 request');
  let parts;
  try {
    parts = splitRequest(Buffer.from(body, 'base64'));
  } catch (cause) {
    throw badRequest('is not DER as in RFC 2986', cause);
  }
  const { info, spki, algorithm, signature } = parts;
  const key = parsePublicKey(spki);
  if (algorithm === undefined)
    throw badRequest('is signed by an unknown algorithm; use ECDSA or RSA with SHA-256');
  if (!verify(algorithm.digest, info, key, signature))
    throw badRequest('is not signed by the key that it carries');
  return spki;
}

function splitRequest(der: Buffer): {
  info: Buffer;
  spki: Buffer;
  algorithm: SignatureAlgorithm | undefined;
  signature: Buffer;
} {
  const [request] = parseDer(der);
  const [info, algorithm, signature] = parseDer(request?.content ?? Buffer.alloc(0));
  if (info === undefined || algorithm === undefined || signature?.tag !== derTag.bitString) {
    throw new RangeError('a request has three parts');
  }
  const [, , spki] = parseDer(info.content);
  const [objectId] = parseDer(algorithm.content);
  if (spki === undefined || objectId === undefined)
    throw new RangeError('a request has a public key');
  return {
    info: info.raw,
    spki: spki.raw,
    algorithm: algorithms.find((known) => derObjectId(known.objectId).equals(objectId.raw)),
    signature: signature.content.subarray(1),
  };
}

function parsePublicKey(spki: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw badRequest('carries no public key that is understood', cause);
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const strong =
    (key.asymmetricKeyType === 'ec' && (curve === 'prime256v1' || curve === 'secp384r1')) ||
    (key.asymmetricKeyType === 'rsa' && bits >= rsaBitsMin) ||
    key.asymmetricKeyType === 'ed25519';
  if (!strong) throw badRequest('has a key that is too weak or unusual; use ECDSA P-256');
  return key;
}

function badRequest(cause: string, error?: unknown): ContrailError {
  const message = `certificate_request_pem: ${cause}; make it with openssl req -new`;
  return new ContrailError('INVALID_ARGUMENT', message, { cause: error });
}

/**
 * A certificate for client and server authentication, PEM.
 * @throws ContrailError FAILED_PRECONDITION when the authority's certificate and key do not belong together.
 */
export function signCertificate(
  authority: CertificateAuthority,
  spki: Buffer,
  { names, validity }: { readonly names: CertificateNames; readonly validity: Validity },
): string {
  const issuer = new X509Certificate(authority.cert);
  const key = createPrivateKey(authority.key);
  if (!issuer.checkPrivateKey(key)) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      'CA_KEY_FILE: is not the key of the certificate in CA_CERT_FILE; mount both from the Secret contrail-ca',
    );
  }
  const algorithm = algorithmOf(key);
  const identifier = derSequence(
    derObjectId(algorithm.objectId),
    algorithm.nullParameters ? Buffer.from([0x05, 0x00]) : Buffer.alloc(0),
  );
  const body = derSequence(
    derContext(0, derInteger(Buffer.from([2])), true),
    derInteger(serialNumber()),
    identifier,
    subjectOf(issuer),
    derSequence(derTime(validity.from), derTime(validity.to)),
    commonName(names.commonName),
    spki,
    derContext(3, derSequence(...extensions(names), ...authorityKeyIdentifier(issuer)), true),
  );
  const signature = sign(algorithm.digest, body, key);
  const der = derSequence(body, identifier, derBitString(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Random; its first bits are 01, so that it is positive and has no padding. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial.writeUInt8((serial.readUInt8(0) & 0x3f) | 0x40, 0);
  return serial;
}

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const objectId = {
    ec: '1.2.840.10045.4.3.2',
    rsa: '1.2.840.113549.1.1.11',
    ed25519: '1.3.101.112',
  }[key.asymmetricKeyType as 'ec' | 'rsa' | 'ed25519'];
  const algorithm = algorithms.find((known) => known.objectId === objectId);
  if (algorithm !== undefined) return algorithm;
  throw new ContrailError(
    'FAILED_PRECONDITION',
    `CA_KEY_FILE: is a ${key.asymmetricKeyType ?? ''} key; use EC P-256, RSA or Ed25519`,
  );
}

/** version [0], serial, algorithm, issuer, validity, subject, public key, extensions [3]. */
function fieldsOf(certificate: X509Certificate): DerValue[] {
  const [outer] = parseDer(certificate.raw);
  const [body] = parseDer(outer?.content ?? Buffer.alloc(0));
  return parseDer(body?.content ?? Buffer.alloc(0));
}

/** The issuer's key identifier, when its certificate has one: verifiers compare both. */
function authorityKeyIdentifier(issuer: X509Certificate): Buffer[] {
  const [list] = parseDer(
    fieldsOf(issuer).find(({ tag }) => tag === 0xa3)?.content ?? Buffer.alloc(0),
  );
  const wanted = derObjectId('2.5.29.14');
  for (const { content } of parseDer(list?.content ?? Buffer.alloc(0))) {
    const parts = parseDer(content);
    if (parts[0]?.raw.equals(wanted) !== true) continue;
    const [identifier] = parseDer(parts.at(-1)?.content ?? Buffer.alloc(0));
    if (identifier === undefined) return [];
    return [extension('2.5.29.35', derSequence(derContext(0, identifier.content, false)), false)];
  }
  return [];
}

/** The issuer's name, byte for byte as in its certificate. */
function subjectOf(certificate: X509Certificate): Buffer {
  const fields = fieldsOf(certificate);
  const subject = fields[fields[0]?.tag === 0xa0 ? 5 : 4];
  if (subject === undefined)
    throw new ContrailError('FAILED_PRECONDITION', 'CA_CERT_FILE: has no subject');
  return subject.raw;
}

function commonName(name: string): Buffer {
  const attribute = derSequence(
    derObjectId('2.5.4.3'),
    encodeDer(derTag.utf8String, Buffer.from(name, 'utf8')),
  );
  return derSequence(encodeDer(derTag.set, attribute));
}

function extensions({ dns, uris, addresses }: CertificateNames): Buffer[] {
  const ascii = (text: string): Buffer => Buffer.from(text, 'ascii');
  const alternatives = [
    ...dns.map((name) => derContext(2, ascii(name), false)),
    ...uris.map((uri) => derContext(6, ascii(uri), false)),
    ...addresses.map((text) => derContext(7, parseAddress(text), false)),
  ];
  return [
    extension('2.5.29.19', derSequence(), true),
    // digitalSignature
    extension('2.5.29.15', derBitString(Buffer.from([0x80]), 7), true),
    // serverAuth, clientAuth
    extension(
      '2.5.29.37',
      derSequence(derObjectId('1.3.6.1.5.5.7.3.1'), derObjectId('1.3.6.1.5.5.7.3.2')),
      false,
    ),
    extension('2.5.29.17', derSequence(...alternatives), false),
  ];
}

function extension(objectId: string, value: Buffer, critical: boolean): Buffer {
  const flag = critical ? encodeDer(derTag.boolean, Buffer.from([0xff])) : Buffer.alloc(0);
  return derSequence(derObjectId(objectId), flag, encodeDer(derTag.octetString, value));
}
