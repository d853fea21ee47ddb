import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { ContrailError } from '@contrail/errors';

/** PEM texts. `cert` and `key` are absent for a client that has no certificate yet. */
export interface TlsMaterial {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

type CaListener = (update: { caCertificate: Buffer } | null) => void;
type IdentityListener = (update: { certificate: Buffer; privateKey: Buffer } | null) => void;

/**
 * Certificates of this process for servers and channels. New material is used by connections made
 * after `update`; those that exist go on. The shape is grpc-js' CertificateProvider.
 */
export class TlsSource {
  #material: TlsMaterial;
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #onClose: () => void;

  constructor(material: TlsMaterial, onClose: () => void = () => undefined) {
    this.#material = material;
    this.#onClose = onClose;
  }

  get hasIdentity(): boolean {
    return this.#material.cert !== undefined && this.#material.key !== undefined;
  }

  update(material: TlsMaterial): void {
    this.#material = material;
    for (const listener of this.#caListeners) listener({ caCertificate: material.ca });
    const identity = this.#identity();
    if (identity) for (const listener of this.#identityListeners) listener(identity);
  }

  close(): void {
    this.#onClose();
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    process.nextTick(() => {
      if (this.#caListeners.has(listener)) listener({ caCertificate: this.#material.ca });
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => {
      const identity = this.#identity();
      if (identity && this.#identityListeners.has(listener)) listener(identity);
    });
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  #identity(): { certificate: Buffer; privateKey: Buffer } | undefined {
    const { cert, key } = this.#material;
    return cert && key ? { certificate: cert, privateKey: key } : undefined;
  }
}

export interface TlsFiles {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly caFile: string;
}

const POLL_MS = 5000;

/**
 * Reads certificates from files and follows them (Kubernetes replaces mounted Secrets by a rename).
 * A half-written pair is ignored until it is whole.
 *
 * @throws ContrailError FAILED_PRECONDITION when a file cannot be read at start.
 */
export function loadTls(files: TlsFiles): TlsSource {
  const paths = [files.caFile, files.certFile, files.keyFile].filter((path) => path !== undefined);
  const reload = (): void => {
    try {
      source.update(readMaterial(files));
    } catch {
      // The next change of the files brings the whole set; the old material serves until then.
    }
  };
  const source = new TlsSource(readMaterial(files), () => {
    for (const path of paths) unwatchFile(path, reload);
  });
  for (const path of paths) watchFile(path, { interval: POLL_MS, persistent: false }, reload);
  return source;
}

/** Fixed material, for tests and for material that the process makes itself. */
export function staticTls(material: TlsMaterial): TlsSource {
  return new TlsSource(material);
}

function readMaterial(files: TlsFiles): TlsMaterial {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new ContrailError('FAILED_PRECONDITION', `TLS file ${path} cannot be read; mount the certificate Secret there`, { cause });
    }
  };
  return {
    ca: read(files.caFile),
    ...(files.certFile ? { cert: read(files.certFile) } : {}),
    ...(files.keyFile ? { key: read(files.keyFile) } : {}),
  };
}
