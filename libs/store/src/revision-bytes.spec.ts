import { encodeResource, metaOf, setMeta, toResource } from '@contrail/resource-model';
import { Resource } from '@contrail/proto-gen/config/v1/resources';
import { bytesWithRevision } from './revision-bytes';

const small = toResource('project', {
  meta: { uuid: '11111111-1111-4111-8111-111111111111', fqName: ['default-domain', 'blue'] },
  vxlanRouting: true,
});

/** Lengths of the parts go from one byte of length to several. */
const sizes = [0, 60, 90, 110, 120, 124, 127, 128, 16_300, 16_384, 100_000];
const revisions = [1n, 127n, 128n, 2n ** 31n, 2n ** 32n + 5n, 2n ** 53n - 1n];

const bytesOf = (resource: Resource): Buffer => Buffer.from(encodeResource(resource));

it.each(sizes)('an object with a name of %i bytes decodes with the revision that was entered', (size) => {
  const named = setMeta(small, { ...metaOf(small), displayName: 'x'.repeat(size) });
  for (const revision of revisions) {
    const decoded = Resource.decode(bytesWithRevision(bytesOf(named), revision));
    expect(decoded).toEqual(setMeta(named, { ...metaOf(named), revision }));
  }
});

it('leaves what it was given as it was', () => {
  const before = bytesOf(small);
  const copy = Buffer.from(before);
  bytesWithRevision(before, 7n);
  expect(before).toEqual(copy);
});

it('understands a message whose meta does not come first', () => {
  const { kind } = small;
  const property = Buffer.from(Resource.encode({ kind: { $case: 'project', value: { ...(kind?.value as object), meta: undefined } } } as unknown as Resource).finish());
  const meta = Buffer.from(Resource.encode(toResource('project', { meta: { fqName: ['default-domain', 'blue'] } })).finish());
  // Tag and length of the message are one byte each in both.
  const inner = Buffer.concat([property.subarray(2), meta.subarray(2)]);
  const foreign = Buffer.concat([property.subarray(0, 1), Buffer.of(inner.length), inner]);
  const decoded = Resource.decode(bytesWithRevision(foreign, 9n));
  expect(metaOf(decoded)).toMatchObject({ revision: 9n, fqName: ['default-domain', 'blue'] });
  expect(decoded.kind?.value).toMatchObject({ vxlanRouting: true });
});
