/** A node in a namespace for the bridge and portmap plugins, as the sandbox's bridge network calls them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Namespaces, netnsPath } from '../netns';
import type { Programs } from '../programs';
import type { Attachment, Runner } from './cni-run';

const version = { cniVersion: '1.0.0', name: 'bench' };

export class BridgeNode {
  readonly #namespaces = new Namespaces(`bench${process.pid}-bridge`);
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bench-bridge-'));
  readonly runner: Runner;

  /** @param plugins folder of the plugins. */
  constructor(programs: Programs, plugins: string) {
    const node = this.#namespaces.add('node');
    const ipam = {
      type: 'host-local',
      ranges: [[{ subnet: '198.51.100.0/24' }]],
      routes: [{ dst: '0.0.0.0/0' }],
      dataDir: path.join(this.#folder, 'addresses'),
    };
    const bridge = { ...version, type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: false, hairpinMode: true, ipam };
    const portmap = { ...version, type: 'portmap', backend: 'nftables', prevResult: '@PREV@' };
    this.runner = {
      cnirun: programs.cnirun(),
      nodeNetns: netnsPath(node),
      folder: plugins,
      calls: [
        { plugin: 'bridge', configFile: this.#config('bridge', JSON.stringify(bridge)) },
        // What the plugin before printed is an object, not a text.
        { plugin: 'portmap', configFile: this.#config('portmap', JSON.stringify(portmap).replace('"@PREV@"', '@PREV@')) },
      ],
      env: {},
    };
  }

  freshPods(from: number, count: number): Attachment[] {
    return Array.from({ length: count }, (_, index) => ({
      containerId: `container${from + index}`,
      netns: netnsPath(this.#namespaces.add(`pod${from + index}`)),
      args: 'IgnoreUnknown=1',
    }));
  }

  stop(): void {
    this.#namespaces.removeAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #config(name: string, content: string): string {
    const file = path.join(this.#folder, `${name}.json`);
    writeFileSync(file, content);
    return file;
  }
}
