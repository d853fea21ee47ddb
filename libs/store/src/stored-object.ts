import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { decodeBytes, typeOfNumber } from './keys';
import { bytesWithRevision } from './revision-bytes';

/**
 * An object as it is stored. Who passes it on takes the bytes, which nobody decodes for that; who looks
 * inside decodes it, once for all who look. Nobody modifies it.
 */
export class StoredObject {
  readonly #bytes: Buffer;
  #resource: Resource | undefined;
  #encoded: Buffer | undefined;

  /** @param bytes protobuf of Resource, without revision. */
  constructor(
    readonly type: ResourceType,
    readonly revision: bigint,
    bytes: Buffer,
  ) {
    this.#bytes = bytes;
  }

  /** Encoded size without revision. */
  get size(): number {
    return this.#bytes.length;
  }

  /** With its revision in meta. */
  get resource(): Resource {
    this.#resource ??= decodeBytes(this.#bytes, this.revision);
    return this.#resource;
  }

  /** Protobuf of Resource, with its revision in meta. */
  get encoded(): Buffer {
    this.#encoded ??= bytesWithRevision(this.#bytes, this.revision);
    return this.#encoded;
  }

  /** Whether both are the same state of the same object. */
  equals(other: StoredObject): boolean {
    return this.revision === other.revision && this.#bytes.equals(other.#bytes);
  }

  /** A copy that does not keep the reply alive of which the bytes are a part. */
  detached(): StoredObject {
    return new StoredObject(this.type, this.revision, Buffer.from(this.#bytes));
  }
}

/** From the value of `o:<uuid>`. @throws ContrailError DATA_LOSS for a type that this version does not know. */
export function parseStored(value: Buffer): StoredObject {
  const newline = value.indexOf(0x0a);
  const [number = '', revision = ''] = value.toString('latin1', 0, newline).split(' ');
  return new StoredObject(typeOfNumber(Number(number)), BigInt(revision), value.subarray(newline + 1));
}
