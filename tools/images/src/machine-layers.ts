import { existsSync, realpathSync } from 'node:fs';
import * as path from 'node:path';
import type { LayerEntry } from '../../sandbox/src/image-archive';
import { libraryClosure, machineFiles, mergedUsrLinks } from '../../sandbox/src/library-closure';
import { layerOf, type Layer } from './layer';
import { ImageFailure } from './failure';

/** User and group of the processes that need no privilege; owner of nothing in the image. */
export const unprivilegedUser = '65532:65532';

/** What people need who look into a running container; sh is dash. */
const applets = ['cat', 'chown', 'cp', 'env', 'hostname', 'id', 'ls', 'mkdir', 'mv', 'ps', 'rm', 'sleep', 'true', 'wget'];

/** Node, a shell, the openssl program, certificates of public authorities: the bottom of all our images. */
export function baseLayer(): Layer {
  const node = realpathSync(process.execPath);
  const dash = program('/bin/dash', 'dash');
  const openssl = program('/usr/bin/openssl', 'openssl');
  const busybox = program('/bin/busybox', 'busybox-static');
  const authorities = program('/etc/ssl/certs/ca-certificates.crt', 'ca-certificates');
  return layerOf([
    ...mergedUsrLinks,
    ...machineFiles(libraryClosure([node, dash, openssl])),
    { source: node, target: '/usr/local/bin/node', mode: 0o755 },
    { source: dash, target: '/usr/bin/dash', mode: 0o755 },
    { link: 'dash', target: '/usr/bin/sh' },
    { source: openssl, target: '/usr/bin/openssl', mode: 0o755 },
    { source: program('/etc/ssl/openssl.cnf', 'openssl'), target: '/usr/lib/ssl/openssl.cnf', mode: 0o644 },
    { source: busybox, target: '/usr/bin/busybox', mode: 0o755 },
    ...applets.map((name): LayerEntry => ({ link: 'busybox', target: `/usr/bin/${name}` })),
    { source: authorities, target: '/etc/ssl/certs/ca-certificates.crt', mode: 0o644 },
    { content: 'hosts: files dns\n', target: '/etc/nsswitch.conf' },
    { content: 'root:x:0:0:root:/root:/bin/sh\ncontrail:x:65532:65532:contrail:/:/bin/sh\n', target: '/etc/passwd' },
    { content: 'root:x:0:\ncontrail:x:65532:\n', target: '/etc/group' },
    { folder: true, target: '/tmp', mode: 0o1777 },
    { folder: true, target: '/root', mode: 0o700 },
  ]);
}

/** libbpf for the agent, which opens it by name at run time. */
export function libbpfLayer(): Layer {
  const folders = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];
  const found = folders.map((folder) => path.join(folder, 'libbpf.so.1')).find((file) => existsSync(file));
  if (found === undefined) throw new ImageFailure('libbpf.so.1: is missing; install the Debian package libbpf1');
  const link = machineFiles([found]);
  const real = machineFiles([realpathSync(found)]);
  return layerOf([...link, ...real, ...machineFiles(libraryClosure([found]))]);
}

/** Redis with its libraries; redis-cli for people. */
export function redisLayer(): Layer {
  const server = program('/usr/bin/redis-server', 'redis-server');
  const client = program('/usr/bin/redis-cli', 'redis-tools');
  return layerOf([
    ...machineFiles(libraryClosure([server, client])),
    { source: server, target: '/usr/bin/redis-server', mode: 0o755 },
    { source: client, target: '/usr/bin/redis-cli', mode: 0o755 },
    { folder: true, target: '/data', mode: 0o755 },
  ]);
}

/** @returns the file behind `file`. @throws ImageFailure that names the Debian package to install. */
function program(file: string, debianPackage: string): string {
  if (!existsSync(file)) throw new ImageFailure(`${file}: is missing; install the Debian package ${debianPackage}`);
  return realpathSync(file);
}
