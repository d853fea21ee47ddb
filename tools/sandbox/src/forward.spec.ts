import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { startForwarder } from './forward';

let folder: string;
let upstream: Server;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'forward-'));
  upstream = createServer((request, response) => {
    response.end(`${request.method ?? ''} ${request.url ?? ''} at ${request.headers.host ?? ''}`);
  });
  await new Promise<void>((resolve) => upstream.listen(path.join(folder, 'api.sock'), resolve));
});

afterEach(async () => {
  await new Promise((resolve) => upstream.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

describe('startForwarder', () => {
  it('carries requests to the socket and writes down its ports', async () => {
    const portsFile = path.join(folder, 'ports.json');
    const forwarder = await startForwarder({
      socket: path.join(folder, 'api.sock'),
      wanted: { rest: 0, identity: 0 },
      portsFile,
    });
    const { rest, identity } = forwarder.ports;
    expect(JSON.parse(readFileSync(portsFile, 'utf8'))).toEqual({ rest, identity });
    for (const port of [rest, identity]) {
      const answer = await fetch(`http://127.0.0.1:${port}/x?y=1`, { headers: { connection: 'close' } });
      expect(await answer.text()).toBe(`GET /x?y=1 at 127.0.0.1:${port}`);
    }
    await forwarder.close();
  });

  it('takes another port when the wanted one is taken', async () => {
    const taken = createTcpServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const forwarder = await startForwarder({
      socket: path.join(folder, 'api.sock'),
      wanted: { rest: port, identity: 0 },
      portsFile: path.join(folder, 'ports.json'),
    });
    expect(forwarder.ports.rest).not.toBe(port);
    await forwarder.close();
    await new Promise((resolve) => taken.close(resolve));
  });

  it('drops clients while nobody serves the socket', async () => {
    const forwarder = await startForwarder({
      socket: path.join(folder, 'nobody.sock'),
      wanted: { rest: 0, identity: 0 },
      portsFile: path.join(folder, 'ports.json'),
    });
    await expect(fetch(`http://127.0.0.1:${forwarder.ports.rest}/`)).rejects.toThrow();
    await forwarder.close();
  });
});
