import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const folder = mkdtempSync(path.join(tmpdir(), 'cni-'));
const binary = path.join(folder, 'contrail-cni');
const socketPath = path.join(folder, 'cni.sock');
let server: Server | undefined;

beforeAll(() => {
  execFileSync('bash', [path.join(__dirname, '../build.sh'), folder]);
});

afterEach(async () => {
  const running = server;
  server = undefined;
  if (running) await new Promise((resolve) => running.close(resolve));
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  status: number | null;
  stdout: string;
}

function run(env: Record<string, string>, stdin: string | Buffer): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [], { env: { CONTRAIL_CNI_SOCKET: socketPath, CONTRAIL_CNI_WAIT_MS: '0', ...env } });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout }));
    // The program may stop reading early; that is what some tests are about.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  });
}

/** Plays the agent; @returns what it is sent. */
async function agent(answer: (socket: Socket, request: string) => void): Promise<() => string> {
  let received = '';
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      const [head = '', body = ''] = received.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (Buffer.byteLength(body) === length) answer(socket, body);
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(socketPath, resolve));
  return () => received;
}

function http(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const config = JSON.stringify({ cniVersion: '1.0.0', name: 'contrail', type: 'contrail-cni' });

describe('contrail-cni', () => {
  it('posts the variables and standard input as one JSON object and prints the result', async () => {
    const received = await agent((socket) => socket.end(http('200 OK', '{"cniVersion":"1.0.0"}')));
    const args = 'IgnoreUnknown=1;K8S_POD_NAME=web"\\\u0001';
    const stdin = '{"name":"a\\u00e4\\n","odd":"é\t\\""}';
    const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_ARGS: args, OTHER: 'x' };
    expect(await run(env, stdin)).toEqual({ status: 0, stdout: '{"cniVersion":"1.0.0"}' });
    const [head = '', body = ''] = received().split('\r\n\r\n');
    expect(head).toMatch(/^POST \/cni HTTP\/1\.0\r\n/);
    expect(JSON.parse(body)).toEqual({
      env: { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_ARGS: args },
      stdin,
    });
  });

  it('prints the error object and exits 1 when the agent refuses', async () => {
    const body = '{"cniVersion":"1.0.0","code":7,"msg":"no","details":""}';
    await agent((socket) => socket.end(http('400 Bad Request', body)));
    expect(await run({ CNI_COMMAND: 'ADD' }, config)).toEqual({ status: 1, stdout: body });
  });

  it('prints nothing for an empty answer', async () => {
    await agent((socket) => socket.end(http('200 OK', '')));
    expect(await run({ CNI_COMMAND: 'DEL' }, config)).toEqual({ status: 0, stdout: '' });
  });

  it('passes 1 MiB of configuration and a large answer', async () => {
    const body = JSON.stringify({ filler: 'y'.repeat(1_000_000) });
    const received = await agent((socket) => socket.end(http('200 OK', body)));
    const stdin = 'x'.repeat(1024 * 1024);
    expect(await run({ CNI_COMMAND: 'GC' }, stdin)).toEqual({ status: 0, stdout: body });
    expect(received()).toContain(stdin);
  });

  it.each([
    ['1.1.0', '{"cniVersion": "1.1.0"}'],
    ['0.4.0', '{ "name":"x", "cniVersion" :\n"0.4.0" }'],
    ['1.1.0', 'not json'],
    ['1.1.0', ''],
  ])('answers VERSION itself, with version %s for %j', async (version, stdin) => {
    const { status, stdout } = await run({ CNI_COMMAND: 'VERSION' }, stdin);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: version,
      supportedVersions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
  });

  async function errorOf(env: Record<string, string>, stdin: string | Buffer): Promise<{ code: number; msg: string; cniVersion: string }> {
    const { status, stdout } = await run(env, stdin);
    expect(status).toBe(1);
    return JSON.parse(stdout) as { code: number; msg: string; cniVersion: string };
  }

  it('asks to try again when there is no agent, in the version of the configuration', async () => {
    const error = await errorOf({ CNI_COMMAND: 'ADD' }, config);
    expect(error).toMatchObject({ cniVersion: '1.0.0', code: 11 });
    expect(error.msg).toContain(`vrouter-agent does not listen on ${socketPath}`);
  });

  it.each(['ADD', 'DEL', 'STATUS'])('%s waits for an agent that is being replaced', async (command) => {
    const running = run({ CNI_COMMAND: command, CONTRAIL_CNI_WAIT_MS: '20000' }, config);
    const first = await Promise.race([running, new Promise((resolve) => setTimeout(() => resolve('waits'), 500))]);
    expect(first).toBe('waits');
    const received = await agent((socket) => socket.end(http('200 OK', '{}')));
    expect(await running).toEqual({ status: 0, stdout: '{}' });
    expect(received().match(/POST/g)).toHaveLength(1);
  });

  it.each(['CHECK', 'GC'])('%s does not wait', async (command) => {
    await errorOf({ CNI_COMMAND: command, CONTRAIL_CNI_WAIT_MS: '3600000' }, config);
  });

  it('says "not available" to STATUS when there is no agent', async () => {
    expect(await errorOf({ CNI_COMMAND: 'STATUS' }, config)).toMatchObject({ code: 50 });
  });

  it('refuses more than 1 MiB of standard input', async () => {
    const error = await errorOf({ CNI_COMMAND: 'ADD' }, Buffer.alloc(3 * 1024 * 1024, 0x20));
    expect(error).toMatchObject({ code: 6, msg: 'standard input has more than 1048576 bytes' });
  });

  it('refuses a missing CNI_COMMAND', async () => {
    expect(await errorOf({}, config)).toMatchObject({ code: 4, msg: 'CNI_COMMAND is not set' });
  });

  it('refuses an overlong variable', async () => {
    const error = await errorOf({ CNI_COMMAND: 'ADD', CNI_ARGS: 'A='.padEnd(70_000, 'x') }, config);
    expect(error).toMatchObject({ code: 4, msg: 'CNI_ARGS has more than 65536 bytes' });
  });

  it.each([
    ['before it answers', (socket: Socket) => socket.destroy()],
    ['in the middle of its answer', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"cni')],
    ['with something that is not HTTP', (socket: Socket) => socket.end('hello\r\n\r\n')],
  ])('asks to try again when the agent closes %s', async (_when, answer) => {
    await agent(answer);
    expect(await errorOf({ CNI_COMMAND: 'DEL' }, config)).toMatchObject({ code: 11 });
  });
});
