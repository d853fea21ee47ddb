import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import * as path from 'node:path';
import { ensureGroups } from './go-build';
import { writeImageArchive, type LayerEntry } from './image-archive';
import { libraryClosure, machineFiles, mergedUsrLinks } from './library-closure';
import { run } from './run';
import type { Settings } from './settings';
import { stampedLayer } from './stamped-layer';

/** The names under which Kubernetes 1.37.2 and its tests ask for these images. */
export const pauseTag = 'registry.k8s.io/pause:3.10.2';
export const agnhostTag = 'registry.k8s.io/e2e-test-images/agnhost:2.66.1';
const glibcDnsTag = 'registry.k8s.io/e2e-test-images/glibc-dns-testing:2.1.1';
export const coreDnsTag = 'sandbox/coredns:1.14.7';

/** Waits for signals and reaps what a shared process namespace leaves to it. */
const pauseSource = `
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void stop(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, 0, WNOHANG) > 0) {} }
int main(void) {
  struct sigaction ending = {.sa_handler = stop};
  struct sigaction child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  sigaction(SIGINT, &ending, 0);
  sigaction(SIGTERM, &ending, 0);
  sigaction(SIGCHLD, &child, 0);
  for (;;) pause();
}
`;

/**
 * Programs of the machine that test containers call. Netcat is OpenBSD's: busybox' own lacks -v and
 * -t.
 */
const machinePrograms = [
  '/bin/bash',
  '/bin/dash',
  '/bin/ip',
  '/bin/nc.openbsd',
  '/bin/ping',
  '/usr/bin/curl',
  '/usr/bin/dig',
  '/usr/bin/getent',
  '/usr/bin/host',
  '/usr/bin/openssl',
  '/usr/bin/tcpdump',
];

/**
 * Applets that other entries provide. busybox' sh would prefer its own applets to the programs
 * above.
 */
const foreignApplets = new Set(['ash', 'bash', 'busybox', 'ip', 'nc', 'ping', 'sh']);

/** Builds the images that every sandbox has. @returns their archives. */
export async function ensureTestImages(settings: Settings): Promise<string[]> {
  const folder = path.join(settings.cache, 'images');
  mkdirSync(folder, { recursive: true });
  const { agnhost } = await ensureGroups(settings, ['agnhost']);
  const layerCache = path.join(settings.cache, 'layers');
  const tools = stampedLayer(await toolEntries());
  const pause = path.join(folder, 'pause.tar');
  writeImageArchive({
    tag: pauseTag,
    layers: [stampedLayer([{ source: await buildPause(settings), target: '/pause', mode: 0o755 }])],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    out: pause,
    layerCache,
  });
  const agnhostArchive = path.join(folder, 'agnhost.tar');
  const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  writeImageArchive({
    tag: agnhostTag,
    layers: [tools, stampedLayer(agnhostEntries(agnhost))],
    config: { Entrypoint: ['/agnhost'], Cmd: ['pause'], Env: environment },
    out: agnhostArchive,
    layerCache,
  });
  const glibcDns = path.join(folder, 'glibc-dns-testing.tar');
  writeImageArchive({
    tag: glibcDnsTag,
    layers: [tools],
    config: { Env: environment },
    out: glibcDns,
    layerCache,
  });
  return [pause, agnhostArchive, glibcDns];
}

/** The name server of the comparison networks; built when one of them is started. */
export async function ensureCoreDnsImage(settings: Settings): Promise<string> {
  const { coredns } = await ensureGroups(settings, ['coredns']);
  const out = path.join(settings.cache, 'images', 'coredns.tar');
  writeImageArchive({
    tag: coreDnsTag,
    layers: [
      stampedLayer([{ source: path.join(coredns, 'coredns'), target: '/coredns', mode: 0o755 }]),
    ],
    config: { Entrypoint: ['/coredns'] },
    out,
    layerCache: path.join(settings.cache, 'layers'),
  });
  return out;
}

function agnhostEntries(folder: string): LayerEntry[] {
  return [
    { source: path.join(folder, 'agnhost'), target: '/agnhost', mode: 0o755 },
    { source: path.join(folder, 'localhost.crt'), target: '/localhost.crt', mode: 0o644 },
    { source: path.join(folder, 'localhost.key'), target: '/localhost.key', mode: 0o644 },
  ];
}

async function toolEntries(): Promise<LayerEntry[]> {
  const busybox = '/bin/busybox';
  const applets = (await run(busybox, ['--list']))
    .split('\n')
    .filter((name) => name !== '' && !foreignApplets.has(name));
  const programs = new Set(machinePrograms.map((program) => path.basename(program)));
  // getent opens these by name at run time.
  const libraries = path.dirname(
    libraryClosure(['/bin/dash']).find((file) => file.endsWith('/libc.so.6')) ?? '',
  );
  const resolvers = readdirSync(libraries)
    .filter((name) => /^libnss_(dns|files)\.so\.2$|^libresolv\.so\.2$/.test(name))
    .map((name) => path.join(libraries, name));
  const closure = libraryClosure([...machinePrograms, ...resolvers]);
  return [
    ...mergedUsrLinks,
    ...machineFiles([...new Set([...closure, ...resolvers])]),
    ...machinePrograms.map((program): LayerEntry => usrEntry(program)),
    { source: realpathSync(busybox), target: '/usr/bin/busybox', mode: 0o755 },
    ...applets
      .filter((name) => !programs.has(name))
      .map((name): LayerEntry => ({ link: 'busybox', target: `/usr/bin/${name}` })),
    { link: 'dash', target: '/usr/bin/sh' },
    { link: 'nc.openbsd', target: '/usr/bin/nc' },
    { folder: true, target: '/tmp', mode: 0o1777 },
    { folder: true, target: '/root', mode: 0o700 },
    { content: 'hosts: files dns\n', target: '/etc/nsswitch.conf' },
    { content: 'root:x:0:0:root:/root:/bin/sh\n', target: '/etc/passwd' },
    { content: 'root:x:0:\n', target: '/etc/group' },
    {
      source: '/etc/ssl/certs/ca-certificates.crt',
      target: '/etc/ssl/certs/ca-certificates.crt',
      mode: 0o644,
    },
  ];
}

function usrEntry(program: string): LayerEntry {
  const target = program.startsWith('/usr/') ? program : `/usr${program}`;
  return { source: realpathSync(program), target, mode: 0o755 };
}

async function buildPause(settings: Settings): Promise<string> {
  const folder = path.join(settings.cache, 'pause');
  const source = path.join(folder, 'pause.c');
  const binary = path.join(folder, 'pause');
  mkdirSync(folder, { recursive: true });
  const isBuilt = statSync(binary, { throwIfNoEntry: false }) !== undefined;
  if (isBuilt && readFileSync(source, 'utf8') === pauseSource) return binary;
  writeFileSync(source, pauseSource);
  await run('gcc', ['-O2', '-static', '-s', '-o', binary, source]);
  return binary;
}
