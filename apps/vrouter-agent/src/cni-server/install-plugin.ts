import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ContrailError } from '@contrail/errors';

export const pluginName = 'contrail-cni';
const configFile = '10-contrail.conflist';

/** What the runtime reads. Capabilities make it pass portMappings and bandwidth in runtimeConfig. */
const networkConfig = {
  cniVersion: '1.1.0',
  name: 'contrail',
  plugins: [{ type: pluginName, capabilities: { portMappings: true, bandwidth: true } }],
};

/**
 * Copies the plugin to the node, by rename: the runtime may execute it at any moment.
 *
 * @throws ContrailError FAILED_PRECONDITION when the folder cannot be written.
 */
export function installPlugin(shimFile: string, binFolder: string): void {
  replaceFile(path.join(binFolder, pluginName), (temporary) => {
    copyFileSync(shimFile, temporary);
    chmodSync(temporary, 0o755);
  });
}

/** Writes the network configuration: from then on the node is Ready and pods come. Equal content is left alone. */
export function installConfig(configFolder: string): void {
  const file = path.join(configFolder, configFile);
  const text = `${JSON.stringify(networkConfig, undefined, 2)}\n`;
  if (readIfPresent(file) === text) return;
  replaceFile(file, (temporary) => writeFileSync(temporary, text, { mode: 0o644 }));
}

/** The temporary file is in the same folder and has a name that runtimes do not read. */
function replaceFile(file: string, write: (temporary: string) => void): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.new`);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    write(temporary);
    renameSync(temporary, file);
  } catch (cause) {
    throw new ContrailError('FAILED_PRECONDITION', `${file} cannot be written; mount the folder of the node there, writable`, { cause });
  }
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
