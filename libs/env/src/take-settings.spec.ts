import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { takeSettings } from './index';

describe('takeSettings', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'settings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As the kubelet lays a ConfigMap out: links to files of a dated folder, changed all at once. */
  const mount = (data: Readonly<Record<string, string>>): void => {
    mkdirSync(path.join(folder, '..2026_01_01'));
    symlinkSync('..2026_01_01', path.join(folder, '..data'));
    for (const [name, value] of Object.entries(data)) {
      writeFileSync(path.join(folder, '..data', name), value);
      symlinkSync(path.join('..data', name), path.join(folder, name));
    }
  };
  const taken = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
    const all: NodeJS.ProcessEnv = { ...env, SETTINGS_DIR: folder };
    takeSettings(all);
    delete all['SETTINGS_DIR'];
    return all;
  };

  it('makes each file a variable', () => {
    mount({ CONTROL_ADDRESS: '192.0.2.1:9003', REDIS_URL: 'rediss://192.0.2.1:6379\n', OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    expect(taken({})).toEqual({ CONTROL_ADDRESS: '192.0.2.1:9003', REDIS_URL: 'rediss://192.0.2.1:6379', OTEL_EXPORTER_OTLP_ENDPOINT: '' });
  });

  describe('the API server', () => {
    const byNode = { KUBERNETES_SERVICE_HOST: '192.0.2.1', KUBERNETES_SERVICE_PORT: '6443' };
    const fromKubelet = { KUBERNETES_PORT_443_TCP_ADDR: '203.0.113.1', KUBERNETES_PORT_443_TCP_PORT: '443' };

    it('is that of the settings and not the kubelet\'s cluster IP', () => {
      mount(byNode);
      const env = { ...fromKubelet, KUBERNETES_SERVICE_HOST: '203.0.113.1', KUBERNETES_SERVICE_PORT: '443' };
      expect(taken(env)).toEqual({ ...fromKubelet, ...byNode });
    });

    it('is that of the manifest when it says so', () => {
      mount(byNode);
      const env = { ...fromKubelet, KUBERNETES_SERVICE_HOST: '203.0.113.1', KUBERNETES_SERVICE_PORT: '1' };
      expect(taken(env)).toEqual({ ...fromKubelet, ...byNode, KUBERNETES_SERVICE_PORT: '1' });
    });
  });

  it('leaves what the manifest sets itself', () => {
    mount({ LOG_LEVEL: 'info', CLUSTER_NAME: 'k8s' });
    expect(taken({ LOG_LEVEL: 'debug' })).toEqual({ LOG_LEVEL: 'debug', CLUSTER_NAME: 'k8s' });
  });

  it('passes over names that no variable has', () => {
    mount({ 'users.acl': 'x', A: '1' });
    expect(taken({})).toEqual({ A: '1' });
  });

  it('changes nothing without the folder', () => {
    const env = { SETTINGS_DIR: path.join(folder, 'absent'), A: '1' };
    takeSettings(env);
    expect(env).toEqual({ SETTINGS_DIR: path.join(folder, 'absent'), A: '1' });
  });
});
