import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import type { ClientDuplexStream, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { DnsServiceService } from '@contrail/proto-gen/dns/v1/dns_service';
import { defineService, startServer, unary } from './index';
import type { RunningServer } from './index';

interface Answer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
}

const status = { synced: true, services: 1, endpointSlices: 1, queries: 1n, problems: [] };
const explanation = { view: '', responseCode: '', answers: [], reasons: [] };

// Decoding all descriptors is half a second's work, on a loaded machine a minute's.
jest.setTimeout(120_000);

describe('reflection', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const service = defineService(DnsServiceService, {
      explain: { allow: 'any', handle: unary(() => Promise.resolve(explanation)) },
      status: { allow: 'any', handle: unary(() => Promise.resolve(status)) },
    });
    server = await startServer({ address: '127.0.0.1:0', tls: 'insecure', services: [service], reflection: true });
  });
  afterAll(() => server.stop(100));

  it.each(['v1', 'v1alpha'])('lists the services of the product in %s', async (version) => {
    const file = require.resolve(`@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`);
    const name = `grpc.reflection.${version}.ServerReflection`;
    const definition = loadSync(file)[name];
    const loaded = loadPackageDefinition({ [name]: definition ?? {} } as Parameters<typeof loadPackageDefinition>[0]);
    const Client = name
      .split('.')
      .reduce<unknown>((found, part) => (found as Record<string, unknown>)[part], loaded) as ServiceClientConstructor;
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    const ask = client['serverReflectionInfo'] as unknown as () => ClientDuplexStream<object, Answer>;
    const stream = ask.call(client);
    stream.write({ listServices: '*' });
    stream.end();
    const answers: Answer[] = [];
    for await (const answer of stream) answers.push(answer as Answer);
    client.close();
    const services = answers.flatMap((answer) => answer.listServicesResponse?.service ?? []);
    expect(services.map((service) => service.name)).toContain('contrail.dns.v1.DnsService');
  });
});
