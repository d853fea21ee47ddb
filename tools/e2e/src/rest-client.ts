import { sandbox } from './cluster';

export interface RestAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: unknown;
}

/** The REST API at the machine's loopback, in the name of one user. */
export interface RestClient {
  readonly port: number;
  readonly identityPort: number;
  readonly token: string;
  call(method: string, uri: string, body?: unknown): Promise<RestAnswer>;
}

/** A user with a role; without namespace in the whole cluster. */
export async function restClient(role: string, namespace?: string): Promise<RestClient> {
  const { stdout: status } = await sandbox(['status']);
  const [, port, identityPort] = /REST API +http:\/\/127\.0\.0\.1:(\d+) \(identity at port (\d+)\)/.exec(status) ?? [];
  if (port === undefined || identityPort === undefined) throw new Error(`status names no REST API:\n${status}`);
  const words = ['token', '--role', role, ...(namespace === undefined ? [] : ['--namespace', namespace])];
  const { stdout } = await sandbox(words);
  const token = stdout.trim();
  return {
    ...{ port: Number(port), identityPort: Number(identityPort), token },
    call: async (method, uri, body) => {
      const answer = await fetch(`http://127.0.0.1:${port}${uri}`, {
        method,
        headers: { 'x-auth-token': token, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
      return { status: answer.status, text, body: isJson ? (JSON.parse(text) as unknown) : undefined };
    },
  };
}
