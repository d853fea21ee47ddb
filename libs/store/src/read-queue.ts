import { listOf } from './change-feed';
import type { RedisConnection, Reply } from './redis/connection';

interface Waiting {
  readonly keys: readonly string[];
  readonly resolve: (values: readonly Reply[]) => void;
  readonly reject: (reason: unknown) => void;
}

const keysMax = 1_000;

/** Reads values of keys: what is asked for in the same moment goes to Redis as one question. */
export class ReadQueue {
  readonly #connection: RedisConnection;
  #waiting: Waiting[] = [];

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  /** In the order of the keys; null for what does not exist. @throws ContrailError UNAVAILABLE */
  read(keys: readonly string[]): Promise<readonly Reply[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ keys, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#sendAll());
    });
  }

  #sendAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let group: Waiting[] = [];
    let count = 0;
    for (const one of waiting) {
      if (group.length > 0 && count + one.keys.length > keysMax) {
        void this.#send(group);
        group = [];
        count = 0;
      }
      group.push(one);
      count += one.keys.length;
    }
    void this.#send(group);
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    try {
      const keys = group.flatMap((one) => one.keys);
      const values = listOf(await this.#connection.command(['MGET', ...keys]));
      let first = 0;
      for (const one of group) {
        one.resolve(values.slice(first, first + one.keys.length));
        first += one.keys.length;
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
