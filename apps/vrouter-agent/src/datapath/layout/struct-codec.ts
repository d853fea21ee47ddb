/**
 * Describes C structs once, so that one table gives encoder, decoder and the offsets that the layout
 * test compares with the BTF of the compiled programs. Numbers are little-endian (the targets are),
 * fields named `be…` are in network order, addresses and MACs are bytes as on the wire.
 */

export interface Field<T> {
  readonly size: number;
  readonly align: number;
  write(buffer: Buffer, offset: number, value: T): void;
  read(buffer: Buffer, offset: number): T;
}

export interface Codec<T> {
  readonly size: number;
  encode(value: T): Buffer;
  encodeInto(value: T, buffer: Buffer, offset: number): void;
  decode(buffer: Buffer, offset?: number): T;
}

export interface StructCodec<T> extends Codec<T> {
  /** Name of the struct in bpf/layout.h. */
  readonly structName: string;
  /** Field name (camelCase; snake_case in C) → place. */
  readonly fields: ReadonlyMap<string, { offset: number; size: number }>;
}

export const u8: Field<number> = {
  size: 1,
  align: 1,
  write: (buffer, offset, value) => void buffer.writeUInt8(value, offset),
  read: (buffer, offset) => buffer.readUInt8(offset),
};

export const u16: Field<number> = {
  size: 2,
  align: 2,
  write: (buffer, offset, value) => void buffer.writeUInt16LE(value, offset),
  read: (buffer, offset) => buffer.readUInt16LE(offset),
};

export const be16: Field<number> = {
  size: 2,
  align: 2,
  write: (buffer, offset, value) => void buffer.writeUInt16BE(value, offset),
  read: (buffer, offset) => buffer.readUInt16BE(offset),
};

export const u32: Field<number> = {
  size: 4,
  align: 4,
  write: (buffer, offset, value) => void buffer.writeUInt32LE(value, offset),
  read: (buffer, offset) => buffer.readUInt32LE(offset),
};

export const u64: Field<bigint> = {
  size: 8,
  align: 8,
  write: (buffer, offset, value) => void buffer.writeBigUInt64LE(value, offset),
  read: (buffer, offset) => buffer.readBigUInt64LE(offset),
};

/** 0 or 1 in one byte. */
export const flag: Field<boolean> = {
  size: 1,
  align: 1,
  write: (buffer, offset, value) => void buffer.writeUInt8(value ? 1 : 0, offset),
  read: (buffer, offset) => buffer.readUInt8(offset) !== 0,
};

/**
 * Bytes as they are; a shorter value is filled up with zeros. `align` is that of the C field: 4 for
 * IPv4 addresses (be32), 1 for byte arrays.
 */
export function bytes(size: number, align = 1): Field<Uint8Array> {
  return {
    size,
    align,
    write: (buffer, offset, value) => {
      if (value.length > size) {
        throw new RangeError(`${value.length} bytes do not fit a field of ${size}`);
      }
      buffer.set(value, offset);
      if (value.length < size) buffer.fill(0, offset + value.length, offset + size);
    },
    read: (buffer, offset) => Uint8Array.from(buffer.subarray(offset, offset + size)),
  };
}

/** IPv4 address, network order. */
export const address4 = bytes(4, 4);
/** Either family; IPv4 in the first four bytes. */
export const address16 = bytes(16);
export const mac6 = bytes(6);

type FieldMap = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F extends FieldMap> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Lays the fields out as a C compiler does, with natural alignment. */
export function struct<F extends FieldMap>(
  structName: string,
  members: F,
): StructCodec<ValueOf<F>> {
  const places = new Map<string, { offset: number; size: number }>();
  let end = 0;
  let align = 1;
  for (const [name, field] of Object.entries(members)) {
    const offset = Math.ceil(end / field.align) * field.align;
    places.set(name, { offset, size: field.size });
    end = offset + field.size;
    align = Math.max(align, field.align);
  }
  const size = Math.ceil(end / align) * align;
  const plan = Object.entries(members).map(([name, field]) => ({
    name,
    field,
    offset: places.get(name)?.offset ?? 0,
  }));
  const encodeInto = (value: ValueOf<F>, buffer: Buffer, at: number): void => {
    const record: Readonly<Record<string, unknown>> = value;
    for (const { name, field, offset } of plan) {
      field.write(buffer, at + offset, record[name]);
    }
  };
  return {
    structName,
    size,
    fields: places,
    encodeInto,
    encode: (value) => {
      const buffer = Buffer.alloc(size);
      encodeInto(value, buffer, 0);
      return buffer;
    },
    decode: (buffer, at = 0) => {
      const record: Record<string, unknown> = {};
      for (const { name, field, offset } of plan) {
        record[name] = field.read(buffer, at + offset);
      }
      return record as ValueOf<F>;
    },
  };
}

/** Gives a struct the shape that the port uses. */
export function convert<T, Raw>(
  raw: Codec<Raw>,
  toRaw: (value: T) => Raw,
  fromRaw: (value: Raw) => T,
): Codec<T> {
  return {
    size: raw.size,
    encode: (value) => raw.encode(toRaw(value)),
    encodeInto: (value, buffer, offset) => raw.encodeInto(toRaw(value), buffer, offset),
    decode: (buffer, offset = 0) => fromRaw(raw.decode(buffer, offset)),
  };
}

/** One number as a whole key or value. */
export const wordCodec: Codec<number> = {
  size: 4,
  encode: (value) => {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32LE(value);
    return buffer;
  },
  encodeInto: (value, buffer, offset) => void buffer.writeUInt32LE(value, offset),
  decode: (buffer, offset = 0) => buffer.readUInt32LE(offset),
};

/** The value of a set: presence is everything. */
export const presentCodec: Codec<true> = {
  size: 4,
  encode: () => Buffer.from([1, 0, 0, 0]),
  encodeInto: (_value, buffer, offset) => void buffer.writeUInt32LE(1, offset),
  decode: () => true,
};
