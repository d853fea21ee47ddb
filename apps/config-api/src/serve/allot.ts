import { createHash } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import type { IdSpace } from '@contrail/resource-model';
import { AllotKind } from '@contrail/proto-gen/config/v1/messages';
import type { AllotRequest } from '@contrail/proto-gen/config/v1/messages';
import type { ResourceStore } from '@contrail/store';

const keysMax = 1000;
const keyBytesMax = 65_536;
/** Longer keys (sets of many tags) are stored by their hash. */
const storedKeyLengthMax = 128;

/** Numbers in the order of the keys. @throws ContrailError INVALID_ARGUMENT, RESOURCE_EXHAUSTED */
export async function allotIds(store: ResourceStore, request: AllotRequest): Promise<number[]> {
  if (request.keys.length > keysMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `keys: has ${request.keys.length} entries, but at most ${keysMax} are allowed; send several requests`,
    );
  }
  for (const [i, key] of request.keys.entries()) {
    if (key === '' || Buffer.byteLength(key) > keyBytesMax) {
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `keys[${i}]: must have 1 to ${keyBytesMax} bytes`,
      );
    }
  }
  return await store.allot(spaceOf(request.kind), request.keys.map(storedKey));
}

function storedKey(key: string): string {
  return key.length <= storedKeyLengthMax
    ? key
    : `sha256:${createHash('sha256').update(key).digest('base64url')}`;
}

function spaceOf(kind: AllotKind): IdSpace {
  switch (kind) {
    case AllotKind.ALLOT_KIND_IDENTITY:
      return 'identity';
    case AllotKind.ALLOT_KIND_LABEL:
      return 'label';
    case AllotKind.ALLOT_KIND_POLICY:
      return 'policy';
    case AllotKind.ALLOT_KIND_VRF:
      return 'vrf';
    case AllotKind.ALLOT_KIND_UNSPECIFIED:
    case AllotKind.UNRECOGNIZED:
      throw new ContrailError(
        'INVALID_ARGUMENT',
        'kind: is not set; choose IDENTITY, LABEL, POLICY or VRF',
      );
  }
}
