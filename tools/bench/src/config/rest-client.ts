import https from 'node:https';

/** Kept connections to the REST API, as many as there are requests at once. */
export class RestClient {
  readonly #agent: https.Agent;

  constructor(
    private readonly port: number,
    ca: Buffer,
  ) {
    this.#agent = new https.Agent({ keepAlive: true, ca });
  }

  /** @throws Error with the answer's text when that is not 200. */
  post(path: string, body: unknown): Promise<void> {
    const text = JSON.stringify(body);
    const headers = {
      authorization: 'Bearer bench',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    const options = { host: '127.0.0.1', port: this.port, path, method: 'POST', agent: this.#agent, headers };
    return new Promise((resolve, reject) => {
      const request = https.request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`POST ${path}: ${response.statusCode ?? 0} ${Buffer.concat(parts).toString().slice(0, 300)}`));
        });
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
