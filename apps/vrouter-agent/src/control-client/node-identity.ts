import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { BootstrapServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import { ContrailError, errorText } from '@contrail/errors';
import { backoffDelayMs, eagerStart } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { callUnary, closeClient, createClient, staticTls } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { logger } from '@contrail/telemetry';
import { newCertificateRequest } from './certificate-request';
import { IdentityFiles, identityProblem, renewAtMs } from './identity-files';
import type { Identity } from './identity-files';

const log = logger('identity');
const retryPolicy = { firstMs: 200, maxMs: 30_000, factor: 2, jitter: 0.5, eager: eagerStart };
/** Nothing is renewed more often, whatever a certificate says. */
const renewMsMin = 10_000;
const caPollMs = 5000;

export interface NodeIdentityOptions {
  readonly node: string;
  /** Where config-api exchanges tokens. */
  readonly bootstrapAddress: string;
  /** Token of the ServiceAccount, bound to this pod; the kubelet replaces the file. */
  readonly tokenFile: string;
  readonly caFile: string;
  readonly stateFolder: string;
  readonly clock: Clock;
}

/**
 * The agent's certificate: got from config-api for a token, kept on disk so that a restart needs
 * nobody, renewed at two thirds of its life. Connections made afterwards use the new one.
 */
export class NodeIdentity {
  readonly #options: NodeIdentityOptions;
  readonly #files: IdentityFiles;
  #identity: Identity | undefined;
  #tls: TlsSource | undefined;
  #problem: string | undefined = 'no certificate yet';

  constructor(options: NodeIdentityOptions) {
    this.#options = options;
    this.#files = new IdentityFiles(options.stateFolder);
  }

  /** Why there is no certificate, or no new one; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Waits for the first certificate, however long it takes; then keeps it fresh until aborted. */
  async start(signal: AbortSignal): Promise<TlsSource> {
    const { node, clock, caFile } = this.#options;
    const stored = this.#files.read({ node, caPem: this.#readCa(), nowMs: clock.now() });
    const identity = stored ?? (await this.#obtain(signal));
    this.#problem = undefined;
    this.#identity = identity;
    const tls = staticTls(this.#material(identity));
    this.#tls = tls;
    watchFile(caFile, { interval: caPollMs, persistent: false }, this.#caChanged);
    signal.addEventListener('abort', () => unwatchFile(caFile, this.#caChanged), { once: true });
    void this.#keepFresh(signal);
    return tls;
  }

  readonly #caChanged = (): void => {
    try {
      if (this.#identity) this.#tls?.update(this.#material(this.#identity));
    } catch (error) {
      log.warn('new authority cannot be read', { error });
    }
  };

  async #keepFresh(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      while (this.#identity) {
        const waitMs = renewAtMs(this.#identity.certificatePem) - clock.now();
        await clock.sleep(Math.max(waitMs, renewMsMin), signal);
        this.#identity = await this.#obtain(signal);
        this.#tls?.update(this.#material(this.#identity));
        this.#problem = undefined;
        log.info('certificate renewed');
      }
    } catch (error) {
      if (!signal.aborted) log.error('certificates are not renewed any more', { error });
    }
  }

  async #obtain(signal: AbortSignal): Promise<Identity> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#exchange(signal);
      } catch (error) {
        if (signal.aborted) throw error;
        this.#problem = `no certificate from config-api at ${this.#options.bootstrapAddress}: ${errorText(error)}`;
        log.warn('certificate not obtained', { address: this.#options.bootstrapAddress, error });
        await this.#options.clock.sleep(backoffDelayMs(retryPolicy, failures, Math.random()), signal);
      }
    }
  }

  async #exchange(signal: AbortSignal): Promise<Identity> {
    const { node, clock, bootstrapAddress, tokenFile } = this.#options;
    const { keyPem, requestPem } = await newCertificateRequest(node);
    const tls = staticTls({ ca: Buffer.from(this.#readCa()) });
    const client = createClient(BootstrapServiceClient, { address: bootstrapAddress, service: 'config-api', tls });
    try {
      const request = { token: readFileOf('AGENT_TOKEN_FILE', tokenFile).trim(), certificateRequestPem: requestPem };
      const { certificatePem } = await callUnary(client, 'exchangeToken', request, { signal });
      const identity = { keyPem, certificatePem };
      const problem = identityProblem(identity, { node, caPem: this.#readCa(), nowMs: clock.now() });
      if (problem !== undefined) throw new ContrailError('INTERNAL', `config-api answered a certificate that is of no use: ${problem}`);
      this.#files.write(identity);
      return identity;
    } finally {
      closeClient(client);
    }
  }

  #material(identity: Identity): { ca: Buffer; cert: Buffer; key: Buffer } {
    const { keyPem, certificatePem } = identity;
    return { ca: Buffer.from(this.#readCa()), cert: Buffer.from(certificatePem), key: Buffer.from(keyPem) };
  }

  #readCa(): string {
    return readFileOf('TLS_CA_FILE', this.#options.caFile);
  }
}

function readFileOf(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ContrailError('FAILED_PRECONDITION', `${variable} ${file} cannot be read; mount it`, { cause });
  }
}
