import { rename, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** What the forwarder listens on, by purpose. */
export interface ForwardedPorts {
  /** The VNC REST API. */
  readonly rest: number;
  /** The same, where clients of the original look for their identity service. */
  readonly identity: number;
}

export interface ForwardOptions {
  /** Unix socket on which config-api serves. */
  readonly socket: string;
  /** Wanted; a port that is taken is replaced by a free one, 0 asks for a free one. */
  readonly wanted: ForwardedPorts;
  /** Where the chosen ports are written. */
  readonly portsFile: string;
}

export interface Forwarder {
  readonly ports: ForwardedPorts;
  close(): Promise<void>;
}

/** Connections at once; each costs two sockets. */
const connectionsMax = 500;
const loopback = '127.0.0.1';

/**
 * Carries TCP connections of the machine's loopback to a unix socket. The socket is a file, so it is
 * reached from the machine although its server lives in a node's network namespace.
 */
export async function startForwarder(options: ForwardOptions): Promise<Forwarder> {
  const servers = await Promise.all(
    [options.wanted.rest, options.wanted.identity].map((port) => listen(options.socket, port)),
  );
  const [rest = 0, identity = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  const ports = { rest, identity };
  await writeFile(`${options.portsFile}.new`, JSON.stringify(ports));
  await rename(`${options.portsFile}.new`, options.portsFile);
  return {
    ports,
    close: async () => {
      await Promise.all(
        servers.map((server) => new Promise<void>((resolve) => server.close(() => { resolve(); }))),
      );
    },
  };
}

async function listen(socket: string, wanted: number): Promise<Server> {
  const server = createServer((client) => { carry(client, socket); });
  server.maxConnections = connectionsMax;
  try {
    await bind(server, wanted);
  } catch (error) {
    if (wanted === 0) throw error;
    process.stdout.write(`port ${wanted} is taken; another one is used\n`);
    await bind(server, 0);
  }
  return server;
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, loopback, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Both directions, each ended by its own side; an error of one ends the other. */
function carry(client: Socket, socket: string): void {
  const upstream = connect({ path: socket, allowHalfOpen: true });
  client.pipe(upstream);
  upstream.pipe(client);
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  for (const side of [client, upstream]) {
    side.on('error', end);
    side.on('close', end);
  }
}
