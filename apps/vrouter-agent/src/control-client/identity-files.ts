import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ContrailError, errorText } from '@contrail/errors';
import { logger } from '@contrail/telemetry';

const log = logger('identity');

export interface Identity {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** Key and certificate in one file: they change together or not at all. */
export class IdentityFiles {
  readonly #file: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = path.join(folder, 'identity.json');
  }

  /** @returns what was stored, when it names this node, is not over, and the authority has signed it. */
  read(options: { node: string; caPem: string; nowMs: number }): Identity | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      return undefined;
    }
    try {
      const identity = JSON.parse(text) as Identity;
      const problem = identityProblem(identity, options);
      if (problem === undefined) return identity;
      log.warn('stored certificate is not used', { reason: problem });
    } catch (error) {
      log.warn('stored certificate cannot be read', { file: this.#file, error });
    }
    return undefined;
  }

  /** @throws ContrailError DATA_LOSS */
  write(identity: Identity): void {
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify(identity), { mode: 0o600 });
      renameSync(`${this.#file}.new`, this.#file);
    } catch (cause) {
      throw new ContrailError('DATA_LOSS', `${this.#file} cannot be written: ${errorText(cause)}`, { cause });
    }
  }
}

/** @returns why the certificate is of no use to the node; undefined when it is good. */
export function identityProblem(
  identity: Identity,
  options: { node: string; caPem: string; nowMs: number },
): string | undefined {
  const certificate = new X509Certificate(identity.certificatePem);
  if (Date.parse(certificate.validTo) <= options.nowMs) return `it ended on ${certificate.validTo}`;
  const uri = `URI:contrail://node/${encodeURIComponent(options.node)}`;
  const names = certificate.subjectAltName?.split(', ') ?? [];
  if (!names.includes(uri)) return `it has no name ${uri}`;
  const authorities = options.caPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const signed = authorities.some((pem) => certificate.verify(new X509Certificate(pem).publicKey));
  return signed ? undefined : 'the authority in TLS_CA_FILE has not signed it';
}

/** When two thirds of the certificate's life are over, Unix milliseconds. */
export function renewAtMs(certificatePem: string): number {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  const fromMs = Date.parse(validFrom);
  return fromMs + ((Date.parse(validTo) - fromMs) * 2) / 3;
}
