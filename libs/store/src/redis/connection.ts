import { setTimeout as delay } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { createClient, RESP_TYPES } from 'redis';
import type { ContrailError } from '@contrail/errors';
import { isFunctionMissing, isLibraryPresent, toStoreError } from './errors';
import { functionName, librarySource } from './function-library';
import type { FunctionName } from './function-library';

export interface RedisOptions {
  /** `rediss://host:port`, `redis://host:port` or `unix:///path/redis.sock`. */
  readonly url: string;
  readonly user?: string;
  /** Read at each connect, so that a rotated Secret is used without restart; absent: no password. */
  readonly passwordFile?: string;
  /** For `rediss`; read at each connect. */
  readonly tlsFiles?: {
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
}

export type Reply = Buffer | string | number | null | readonly Reply[];

/** Work on each new connection before it takes commands; throwing means the connection is not good. */
export type OnConnect = (connection: RedisConnection) => Promise<void>;

const reconnectMsMin = 50;
const reconnectMsMax = 500;
/** A connection that lasted so long was a good one: the next attempt follows at once. */
const goodConnectionMs = 2_000;
/** A busy machine needs seconds for a TLS handshake. */
const connectTimeoutMs = 10_000;
/** A peer that says nothing for so long is gone; the ping below makes a healthy one speak. */
const silenceMsMax = 10_000;
const pingMs = 3_000;

function newClient(options: RedisOptions) {
  const tls = options.tlsFiles;
  const files = tls && {
    ca: readFileSync(tls.caFile),
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
  };
  const password =
    options.passwordFile === undefined ? '' : readFileSync(options.passwordFile, 'utf8').trim();
  const common = {
    connectTimeout: connectTimeoutMs,
    reconnectStrategy: false,
    socketTimeout: silenceMsMax,
  } as const;
  return createClient({
    url: options.url,
    socket: options.url.startsWith('rediss:') ? { ...common, ...files, tls: true } : common,
    ...(password === '' ? {} : { password, username: options.user || 'default' }),
    RESP: 2,
    pingInterval: pingMs,
    disableOfflineQueue: true,
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}

type Client = ReturnType<typeof newClient>;

/**
 * One connection that is made again for ever, with credentials and certificates read afresh. While it is
 * down every command fails at once with UNAVAILABLE and the reason.
 */
export class RedisConnection {
  readonly #options: RedisOptions;
  readonly #server: string;
  readonly #onConnect: OnConnect;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  readonly #firstAttempt: Promise<void>;
  #endFirstAttempt: () => void = () => undefined;
  #client: Client | undefined;
  #ready = false;
  #problem: ContrailError;

  constructor(options: RedisOptions, onConnect: OnConnect = () => Promise.resolve()) {
    this.#options = options;
    // Never show credentials that somebody wrote into the URL.
    this.#server = options.url.replace(/\/\/[^@/]*@/, '//');
    this.#onConnect = onConnect;
    this.#problem = toStoreError(new Error('not connected yet: socket'), this.#server);
    this.#firstAttempt = new Promise((resolve) => {
      this.#endFirstAttempt = resolve;
    });
    this.#loop = this.#run();
  }

  /** Why commands fail now; undefined when connected. */
  get problem(): ContrailError | undefined {
    return this.#ready ? undefined : this.#problem;
  }

  /** @throws ContrailError UNAVAILABLE or INTERNAL. */
  async command(args: readonly (string | Buffer)[]): Promise<Reply> {
    const client = this.#client ?? (await this.#afterFirstAttempt());
    try {
      return await client.sendCommand<Reply>([...args]);
    } catch (error) {
      throw toStoreError(error, this.#server);
    }
  }

  /** Calls one of our functions; all of them take the key prefix as their one key. */
  async call(
    name: FunctionName,
    prefix: string,
    args: readonly (string | Buffer)[],
  ): Promise<Reply> {
    const command = ['FCALL', functionName(name), '1', prefix, ...args];
    const client = this.#client ?? (await this.#afterFirstAttempt());
    try {
      return await client.sendCommand<Reply>(command);
    } catch (error) {
      if (!isFunctionMissing(error)) throw toStoreError(error, this.#server);
      await this.#loadFunctions(client);
      return await this.command(command);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#client?.destroy();
    await this.#loop;
  }

  /** A process that just started waits for its first connection; later ones fail at once. */
  async #afterFirstAttempt(): Promise<Client> {
    await this.#firstAttempt;
    if (this.#client === undefined) throw this.#problem;
    return this.#client;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let waitMs = reconnectMsMin;
    while (!signal.aborted) {
      const startedAt = Date.now();
      try {
        await this.#session(signal);
      } catch (error) {
        this.#problem = toStoreError(error, this.#server);
      } finally {
        this.#ready = false;
        this.#client?.destroy();
        this.#client = undefined;
        this.#endFirstAttempt();
      }
      waitMs =
        Date.now() - startedAt > goodConnectionMs
          ? reconnectMsMin
          : Math.min(waitMs * 2, reconnectMsMax);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** From connect to the end of the connection; throws the reason of the end. */
  async #session(signal: AbortSignal): Promise<void> {
    const client = newClient(this.#options);
    let onStop = (): void => undefined;
    const ended = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('connection closed')));
      onStop = () => reject(new Error('connection closed'));
      signal.addEventListener('abort', onStop, { once: true });
    });
    ended.catch(() => undefined);
    const connecting = client.connect();
    try {
      await Promise.race([connecting, ended]);
      await this.#loadFunctions(client);
      this.#client = client;
      await Promise.race([this.#onConnect(this), ended]);
      this.#ready = true;
      this.#endFirstAttempt();
      await ended;
    } finally {
      signal.removeEventListener('abort', onStop);
      // A client that is destroyed while it connects would come up afterwards and stay.
      await connecting.catch(() => undefined);
      client.destroy();
    }
  }

  async #loadFunctions(client: Client): Promise<void> {
    try {
      await client.sendCommand(['FUNCTION', 'LOAD', librarySource]);
    } catch (error) {
      if (!isLibraryPresent(error)) throw toStoreError(error, this.#server);
    }
  }
}
