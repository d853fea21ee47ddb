import { varintLength, writeVarint } from '@contrail/resource-model';

const wireVarint = 0;
const wireBytes = 2;

/**
 * A protobuf message put together from parts that are encoded already, so that what is only passed on is
 * never decoded. Field numbers are below 16.
 */
export class MessageParts {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Left out when 0, as proto3 does. */
  number(field: number, value: number): this {
    if (value !== 0) this.#header(field * 8 + wireVarint, value);
    return this;
  }

  /** Left out when empty. */
  text(field: number, value: string): this {
    return value === '' ? this : this.message(field, Buffer.from(value, 'utf8'));
  }

  message(field: number, message: Uint8Array | MessageParts): this {
    const isEncoded = message instanceof Uint8Array;
    this.#header(field * 8 + wireBytes, isEncoded ? message.length : message.#length);
    if (isEncoded) this.#add(message);
    else for (const part of message.#parts) this.#add(part);
    return this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }

  #header(tag: number, value: number): void {
    const header = Buffer.allocUnsafe(1 + varintLength(value));
    header[0] = tag;
    writeVarint(header, 1, value);
    this.#add(header);
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}
