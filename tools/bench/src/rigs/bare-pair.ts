import { ip, Namespaces, netnsPath } from '../netns';
import type { Rig } from './rig';

export const barePair = 'bare veth pair';

/** Two namespaces joined by a pair of devices and nothing else: what the machine can do. */
export function createBarePair(prefix: string): Rig {
  const namespaces = new Namespaces(`${prefix}-bare`);
  const client = namespaces.add('client');
  const server = namespaces.add('server');
  ip('-n', client, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', server);
  for (const [name, address] of [[client, '198.51.100.1/24'], [server, '198.51.100.2/24']] as const) {
    ip('-n', name, 'addr', 'add', address, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
  }
  return {
    paths: [{ name: barePair, clientNetns: netnsPath(client), address: '198.51.100.2' }],
    serverNetns: [netnsPath(server)],
    close: () => Promise.resolve(namespaces.removeAll()),
  };
}
