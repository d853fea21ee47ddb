import { startRestFixture } from './rest-fixture';
import type { RestAnswer, RestFixture } from './rest-fixture';

/** Members of an object in a request or an answer. */
export type Members = Record<string, unknown>;

/**
 * Starts the REST API before the tests of a file, and stops it after them.
 * @param prepare what the tests need there beforehand.
 */
export function useRestFixture(prepare: (api: RestFixture) => Promise<void> = () => Promise.resolve()): RestFixture {
  let started: RestFixture | undefined;
  beforeAll(async () => {
    started = await startRestFixture();
    await prepare(started);
  }, 60_000);
  afterAll(async () => {
    await started?.stop();
  });
  // The fixture exists before it is started, so that a file can name it once.
  return new Proxy({} as RestFixture, {
    get: (_, name) => {
      if (started === undefined) throw new Error('the REST API is used before the tests begin');
      return Reflect.get(started, name) as unknown;
    },
  });
}

/** The object of a type in an answer that must be 200. */
export function membersOf(answer: RestAnswer, type: string): Members {
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.any(String)]);
  return (answer.json() as Record<string, Members>)[type] ?? {};
}
