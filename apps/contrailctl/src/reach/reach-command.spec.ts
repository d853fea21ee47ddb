import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ContrailError } from '@contrail/errors';
import { parseAddress } from '@contrail/net';
import { ControlServiceService } from '@contrail/proto-gen/control/v1/control_service';
import { ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import type { ReachRequest } from '@contrail/proto-gen/control/v1/reach';
import { defineService, startServer, staticTls, unary } from '@contrail/rpc';
import type { RunningServer } from '@contrail/rpc';
import { testPki } from '@contrail/testing';
import { loadConfig } from '../config';
import { runProgram } from '../create-program';

const folder = mkdtempSync(path.join(tmpdir(), 'contrailctl-reach-'));
const at = (name: string): string => path.join(folder, name);
const pki = testPki();
const asked: ReachRequest[] = [];
let control: RunningServer;
let kubernetes: Server;
/** Pods of namespace default that Kubernetes knows, by name. */
const pods: Record<string, unknown> = {
  a: { spec: { nodeName: 'node1' }, status: { phase: 'Running' } },
  proxy: { spec: { hostNetwork: true, nodeName: 'node1' }, status: { phase: 'Running' } },
  job: { spec: { nodeName: 'node1' }, status: { phase: 'Succeeded' } },
  waiting: { spec: {}, status: { phase: 'Pending' } },
};

/** As control: it knows pods a and b, nodes, and no others. */
function answer(request: ReachRequest): ReachResponse {
  asked.push(request);
  for (const { kind } of [request.from, request.to].filter((end) => end !== undefined)) {
    if (kind?.$case === 'pod' && !['a', 'b'].includes(kind.value.name)) throw new ContrailError('NOT_FOUND', `Pod/default/${kind.value.name}: has no interface`);
  }
  const reachable = request.port !== 81;
  const address = Buffer.from(parseAddress('10.32.0.2'));
  return ReachResponse.fromPartial({
    reachable,
    revision: 7n,
    answers: [
      {
        from: { name: 'pod default/a' }, to: { name: 'pod default/b', address }, protocol: 6, port: request.port, reachable, reason: 'namespace red is isolated',
        steps: [{ layer: 'route', passes: reachable, text: '10.32.0.2/32 leads to pod default/b', prefix: { address, length: 32 } }],
        backends: [{ name: 'pod default/b', address, port: 8080, node: 'node2', used: false, reason: 'is not ready' }],
        grants: reachable ? [] : ['a network policy'],
      },
    ],
  });
}

beforeAll(async () => {
  const own = pki.issue('contrailctl');
  writeFileSync(at('tls.crt'), own.cert ?? '');
  writeFileSync(at('tls.key'), own.key ?? '');
  writeFileSync(at('ca.crt'), pki.caCert);
  const service = defineService({ reach: ControlServiceService.reach }, { reach: { allow: ['contrailctl'], handle: unary(async (request: ReachRequest) => answer(request)) } });
  control = await startServer({ address: '127.0.0.1:0', tls: staticTls(pki.issue('control')), services: [service] });
  kubernetes = createServer((request, response) => {
    const pod = pods[path.basename(request.url ?? '')];
    response.statusCode = pod === undefined ? 404 : 200;
    response.end(JSON.stringify(pod ?? { reason: 'NotFound', message: 'not there' }));
  });
  await new Promise<void>((resolve) => kubernetes.listen(0, '127.0.0.1', resolve));
  const { port } = kubernetes.address() as AddressInfo;
  const config = { clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }], users: [{ name: 'u', user: {} }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' };
  writeFileSync(at('kubeconfig'), JSON.stringify(config));
});

afterAll(async () => {
  await control.stop(50);
  await new Promise((resolve) => kubernetes.close(resolve));
  rmSync(folder, { recursive: true });
});

async function run(...words: string[]): Promise<{ output: string; status: number }> {
  let [output, status] = ['', 0];
  const environment = { CONTROL_ADDRESS: `127.0.0.1:${control.port}`, KUBECONFIG: at('kubeconfig'), TLS_CERT_FILE: at('tls.crt'), TLS_KEY_FILE: at('tls.key'), TLS_CA_FILE: at('ca.crt') };
  const ports = {
    ...{ config: loadConfig(environment), signal: new AbortController().signal },
    write: (text: string): void => void (output += text),
    exit: (code: number): void => void (status = code),
  };
  try {
    await runProgram(ports, words);
  } catch (error) {
    output = error instanceof ContrailError ? error.message : String(error);
  }
  return { output: output.replaceAll(/ {2,}/g, '  '), status };
}

describe('reach', () => {
  it('asks control for both ends and the port', async () => {
    asked.length = 0;
    await run('reach', 'default/a', 'svc/default/web', '53/udp');
    expect(asked).toMatchObject([
      { from: { kind: { $case: 'pod', value: { namespace: 'default', name: 'a' } } }, to: { kind: { $case: 'service', value: { name: 'web' } } }, protocol: 17, port: 53 },
    ]);
  });

  it('says yes with what carries the packet, exit status 0', async () => {
    const { output, status } = await run('reach', 'default/a', 'default/b', '80');
    expect(output).toContain('yes: pod default/a reaches pod default/b by tcp port 80\n');
    expect(output).toContain('route  yes  10.32.0.2/32 leads to pod default/b');
    expect(output).toContain('pod default/b  10.32.0.2:8080  node2  no  is not ready');
    expect(status).toBe(0);
  });

  it('says no with what would open the way, exit status 1', async () => {
    const { output, status } = await run('reach', 'default/a', 'default/b', '81');
    expect(output).toContain('no: pod default/a does not reach pod default/b by tcp port 81\nnamespace red is isolated\n');
    expect(output).toContain('Would open it:\n- a network policy\n');
    expect(status).toBe(1);
  });

  it('prints JSON and YAML with addresses as text, or one word', async () => {
    expect(JSON.parse((await run('-o', 'json', 'reach', 'default/a', 'default/b')).output)).toMatchObject({ reachable: true, answers: [{ to: { address: '10.32.0.2' }, steps: [{ prefix: { address: '10.32.0.2' } }] }] });
    expect((await run('-o', 'yaml', 'reach', 'default/a', 'default/b')).output).toContain('reachable: true\n');
    expect((await run('-o', 'name', 'reach', 'default/a', 'default/b', '81')).output).toBe('no\n');
  });

  it('takes a pod on the host network for its node, and says so', async () => {
    const { output, status } = await run('reach', 'default/a', 'default/proxy', '80');
    expect(asked.at(-1)?.to).toEqual({ kind: { $case: 'node', value: 'node1' } });
    expect(output).toContain('Note: pod default/proxy is on the host network: it is node node1\n');
    expect(status).toBe(0);
  });

  it.each([
    ['default/job', /Pod\/default\/job: completed \(Succeeded\) and has left the network; name a pod that runs/],
    ['default/waiting', /Pod\/default\/waiting: is on no node yet; see its events/],
    ['default/none', /Pod\/default\/none: does not exist; kubectl -n default get pods/],
    ['nonsense', /"nonsense": is no end of a connection/],
  ])('of %s fails with the cause and exit status 2', async (to, message) => {
    const { output, status } = await run('reach', 'default/a', to);
    expect(output).toMatch(message);
    expect(status).toBe(2);
  });

  it('with a token says that it needs a certificate', async () => {
    expect((await run('--token', 't', 'reach', 'default/a', 'default/b')).output).toContain('control: takes a certificate and no token');
  });
});
