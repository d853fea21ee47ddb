import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { useRestFixture } from '../../testing/use-rest-fixture';
import type { RestAnswer } from '../../testing/rest-fixture';
import { withoutMembers } from './wire/json';
import { allRestTypes } from './wire/rest-types';

const api = useRestFixture();

const runs = 150;
/** More in `npm run soak`: the last test goes on for so long. */
const seconds = Number(process.env['FUZZ_SECONDS'] ?? '0');
const timeoutMs = 60_000;
const growthMax = 32 * 1024 * 1024;

const json = fc.jsonValue({ maxDepth: 5 });
const type = fc.constantFrom(...allRestTypes());
const uuid = fc.constantFrom('', 'x', '7d0d4c1e-3f51-4c7e-9d5f-1c1a7f3e0a11', null);
const name = fc.array(fc.oneof(fc.string(), fc.constantFrom('default-domain', 'default-project')), { maxLength: 4 });
const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE');

/** An object of a type whose fields have the right names and any values. */
const objectOf = type.chain((rest) => {
  const fields = [...rest.properties, ...rest.references].map((field) => field.name);
  const names = ['display_name', 'annotations', 'id_perms', 'perms2', ...fields];
  return fc.record({
    rest: fc.constant(rest),
    object: fc
      .tuple(fc.dictionary(fc.constantFrom(...names), json), name, uuid)
      .map(([values, fq_name, id]) => ({ ...values, fq_name, uuid: id })),
  });
});

const actions = [
  ...['fqname-to-id', 'id-to-fqname', 'ref-update', 'ref-relax-for-delete', 'prop-collection-update'],
  ...['useragent-kv', 'list-bulk-collection', 'chmod', 'chown', 'set-tag', 'security-policy-draft'],
  ...['aaa-mode', 'obj-perms', 'v3/auth/tokens', 'v2.0/tokens', 'virtual-network/x/ip-alloc'],
];
const actionMembers = [
  ...['type', 'uuid', 'fq_name', 'operation', 'ref-type', 'ref-uuid', 'updates', 'key', 'value', 'attr'],
  ...['obj_type', 'obj_uuid', 'filters', 'fields', 'parent_id', 'pageMarker', 'auth', 'owner', 'share'],
];
const actionValue = fc.oneof(
  json,
  fc.constantFrom('virtual-network', 'ADD', 'STORE', 'RETRIEVE', 'network-ipam', 'annotations', 'set'),
);

/** Anything but an error of ours; the text of a failure shows what was answered. */
function expectAnswer({ status, text }: RestAnswer): void {
  expect({ isOurFault: status < 200 || status >= 500, text: status >= 500 ? text : '' }).toEqual({
    isOurFault: false,
    text: '',
  });
}

describe('no input makes an internal error', () => {
  it('as body of an object', async () => {
    await fc.assert(
      fc.asyncProperty(objectOf, async ({ rest, object }) => {
        const answer = await api.call('POST', `/${rest.plural}`, { [rest.name]: object });
        expectAnswer(answer);
      }),
      { numRuns: runs },
    );
  }, timeoutMs);

  it('as body of a change', async () => {
    const made = await api.call('POST', '/virtual-networks', {
      'virtual-network': { fq_name: ['default-domain', 'default-project', 'fuzzed'], parent_type: 'project' },
    });
    const { uuid: id } = (made.json() as { 'virtual-network': { uuid: string } })['virtual-network'];
    await fc.assert(
      fc.asyncProperty(objectOf, json, async ({ object }, other) => {
        const change = { 'virtual-network': { ...withoutMembers<unknown>(object, ['fq_name']), uuid: id, network_ipam_refs: other } };
        const answer = await api.call('PUT', `/virtual-network/${id}`, change);
        expectAnswer(answer);
        expect((await api.call('GET', `/virtual-network/${id}`)).status).toBe(200);
      }),
      { numRuns: runs },
    );
  }, timeoutMs);

  it('as body of an action', async () => {
    const body = fc.dictionary(fc.constantFrom(...actionMembers), actionValue);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...actions), method, body, async (action, verb, given) => {
        const answer = await api.call(verb, `/${action}`, given);
        expectAnswer(answer);
      }),
      { numRuns: runs },
    );
  }, timeoutMs);

  it('as text of a body, path or query', async () => {
    await fc.assert(
      fc.asyncProperty(method, fc.webPath(), fc.webQueryParameters(), fc.string(), async (verb, path, query, text) => {
        const answer = await api.call(verb, `${path.startsWith('/') ? path : `/${path}`}?${query}`, verb === 'GET' ? undefined : text);
        expectAnswer(answer);
      }),
      { numRuns: runs },
    );
  }, timeoutMs);

  it('as parameters of a list', async () => {
    const names = ['parent_id', 'filters', 'fields', 'pageMarker', 'pageLimit', 'obj_uuids', 'fq_names', 'back_ref_id'];
    const value = fc.oneof(fc.string(), fc.constantFrom('a==1', 'name=="x"', '5', '0.', '0.x', ','));
    await fc.assert(
      fc.asyncProperty(type, fc.dictionary(fc.constantFrom(...names), value), async (rest, query) => {
        const answer = await api.call('GET', `/${rest.plural}?${new URLSearchParams(query).toString()}`);
        expectAnswer(answer);
      }),
      { numRuns: runs },
    );
  }, timeoutMs);
});

it('keeps no memory of what it was sent', async () => {
  const creation = objectOf.map(({ rest, object }) => ({ verb: 'POST', uri: `/${rest.plural}`, given: { [rest.name]: object } as unknown }));
  const body = fc.dictionary(fc.constantFrom(...actionMembers), actionValue);
  const action = fc.record({ verb: method, uri: fc.constantFrom(...actions).map((path) => `/${path}`), given: body as fc.Arbitrary<unknown> });
  const until = Date.now() + seconds * 1000;
  const heaps: number[] = [];
  while (heaps.length < 4 || Date.now() < until) {
    await fc.assert(
      fc.asyncProperty(fc.oneof(creation, action), async ({ verb, uri, given }) => {
        expectAnswer(await api.call(verb, uri, given));
      }),
      { numRuns: runs },
    );
    heaps.push(usedHeap());
  }
  // The first rounds fill caches and compile code.
  const grown = (heaps.at(-1) ?? 0) - (heaps[1] ?? 0);
  expect(grown).toBeLessThan(growthMax);
}, timeoutMs * 2 + seconds * 2000);

/** Bytes that are reachable. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

it('answers others while clients send half a request, or read nothing', async () => {
  const half = Array.from({ length: 200 }, () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /virtual-networks HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nx-auth-token: admin\r\n\r\n{');
    return socket;
  });
  const deaf = Array.from({ length: 20 }, () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
    return socket;
  });
  expect((await api.call('GET', '/virtual-networks?count=True')).status).toBe(200);
  for (const socket of [...half, ...deaf]) socket.destroy();
});
