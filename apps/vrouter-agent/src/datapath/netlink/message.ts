/** Building and reading rtnetlink messages. Pure. */

export interface Attribute {
  readonly type: number;
  readonly data: Buffer;
}

const align = (length: number): number => (length + 3) & ~3;
const headerSize = 16;

export const flags = {
  request: 0x001,
  ack: 0x004,
  dump: 0x300,
  exclusive: 0x200,
  create: 0x400,
  replace: 0x100,
} as const;

/** Attributes one after the other, each padded to four bytes. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(
    attributes.map(({ type, data }) => {
      const buffer = Buffer.alloc(4 + align(data.length));
      buffer.writeUInt16LE(4 + data.length, 0);
      buffer.writeUInt16LE(type, 2);
      data.copy(buffer, 4);
      return buffer;
    }),
  );
}

/** An attribute that holds attributes, after an optional fixed part. */
export function nested(
  type: number,
  attributes: readonly Attribute[],
  before: Buffer = Buffer.alloc(0),
): Attribute {
  return { type, data: Buffer.concat([before, encodeAttributes(attributes)]) };
}

export function text(type: number, value: string): Attribute {
  return { type, data: Buffer.from(`${value}\0`, 'utf8') };
}

export function raw(type: number, value: Uint8Array): Attribute {
  return { type, data: Buffer.from(value) };
}

export function word(type: number, value: number): Attribute {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return { type, data };
}

export function byte(type: number, value: number): Attribute {
  return { type, data: Buffer.of(value) };
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  /** The family's fixed struct with its attributes. */
  readonly body: Buffer;
  /** The kernel does not answer it (the frame of an nftables batch). */
  readonly unanswered?: true;
}

export function encodeMessage(message: Message, sequence: number): Buffer {
  const buffer = Buffer.alloc(align(headerSize + message.body.length));
  buffer.writeUInt32LE(headerSize + message.body.length, 0);
  buffer.writeUInt16LE(message.type, 4);
  buffer.writeUInt16LE(message.flags, 6);
  buffer.writeUInt32LE(sequence, 8);
  message.body.copy(buffer, headerSize);
  return buffer;
}

export interface Reply {
  readonly type: number;
  readonly sequence: number;
  readonly body: Buffer;
}

export function decodeMessages(buffer: Buffer): Reply[] {
  const replies: Reply[] = [];
  let offset = 0;
  while (offset + headerSize <= buffer.length) {
    const length = buffer.readUInt32LE(offset);
    if (length < headerSize || offset + length > buffer.length) {
      break;
    }
    replies.push({
      type: buffer.readUInt16LE(offset + 4),
      sequence: buffer.readUInt32LE(offset + 8),
      body: buffer.subarray(offset + headerSize, offset + length),
    });
    offset += align(length);
  }
  return replies;
}

/** Attributes by type (without the flag bits); the last of a type wins. */
export function decodeAttributes(buffer: Buffer): Map<number, Buffer> {
  const result = new Map<number, Buffer>();
  let offset = 0;
  while (offset + 4 <= buffer.length) {
    const length = buffer.readUInt16LE(offset);
    if (length < 4 || offset + length > buffer.length) {
      break;
    }
    result.set(
      buffer.readUInt16LE(offset + 2) & 0x3fff,
      buffer.subarray(offset + 4, offset + length),
    );
    offset += align(length);
  }
  return result;
}

export function decodeText(data: Buffer | undefined): string | undefined {
  return data?.toString('utf8').replace(/\0.*$/, '');
}
