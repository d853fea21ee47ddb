import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** Where our manifests mount ConfigMap contrail-addresses; SETTINGS_DIR names another folder. */
const defaultFolder = '/etc/contrail/settings';

/** Of the cluster IP of the API server, which the kubelet tells every container; it needs the network that we make. */
const kubeletNames = /^KUBERNETES_PORT_\d+_TCP_(ADDR|PORT)$/;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Takes the files of a mounted ConfigMap over as variables: file name = name, content = value, the last line's end left
 * out. A mounted ConfigMap, and not `envFrom`, because the kubelet reads the latter anew from the API server for each
 * start of a container, so that one which died would stay away as long as the API server.
 *
 * As with `envFrom`, a variable that the manifest sets itself stays; only those of the kubelet give way. To be called
 * before anything reads the environment. No folder: nothing changes.
 */
export function takeSettings(env: NodeJS.ProcessEnv): void {
  const folder = env['SETTINGS_DIR'] ?? defaultFolder;
  for (const name of filesOf(folder)) {
    if (!variableName.test(name)) continue;
    if (env[name] !== undefined && !isFromKubelet(env, name)) continue;
    env[name] = readFileSync(path.join(folder, name), 'utf8').replace(/\r?\n$/, '');
  }
}

/** Whether KUBERNETES_SERVICE_HOST or _PORT is the kubelet's: the same as in its other variables, which no manifest sets. */
function isFromKubelet(env: NodeJS.ProcessEnv, name: string): boolean {
  if (!name.startsWith('KUBERNETES_SERVICE_')) return false;
  return Object.entries(env).some(([other, value]) => kubeletNames.test(other) && value === env[name]);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
