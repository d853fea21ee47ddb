/**
 * BTF, the kernel's own description of types: read from the compiled programs and from maps that
 * other versions of the agent made. Pure. Format: Documentation/bpf/btf.rst of the kernel.
 */
import { ContrailError } from '@contrail/errors';

const magic = 0xeb9f;
const typeHeaderSize = 12;
const memberSize = 12;

const kinds = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  functionType: 13,
  variable: 14,
  section: 15,
  declarationTag: 17,
  enum64: 19,
} as const;

interface BtfType {
  readonly kind: number;
  /** Size in bytes, or the type that this one refers to. */
  readonly sizeOrType: number;
  readonly count: number;
  /** The part after the header. */
  readonly tail: Buffer;
}

/** A place in a struct that is no struct itself; arrays are one place. */
export interface BtfField {
  /** Names from the outermost struct on, joined by dots; empty for a type that is no struct. */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** Bytes after the header of a type. */
function tailSize(kind: number, count: number): number {
  switch (kind) {
    case kinds.int:
    case kinds.variable:
    case kinds.declarationTag:
      return 4;
    case kinds.array:
      return 12;
    case kinds.struct:
    case kinds.union:
    case kinds.section:
    case kinds.enum64:
      return memberSize * count;
    case kinds.enum:
    case kinds.functionType:
      return 8 * count;
    default:
      return 0;
  }
}

export class Btf {
  /** Type numbers begin with 1; 0 is void. */
  private readonly types: BtfType[] = [{ kind: 0, sizeOrType: 0, count: 0, tail: Buffer.alloc(0) }];
  private readonly strings: Buffer;

  /** @throws ContrailError DATA_LOSS when the bytes are no BTF of this machine's byte order. */
  constructor(raw: Buffer) {
    if (raw.length < 24 || raw.readUInt16LE(0) !== magic) {
      throw new ContrailError('DATA_LOSS', 'BTF: the type description is not readable');
    }
    const headerSize = raw.readUInt32LE(4);
    const begin = headerSize + raw.readUInt32LE(8);
    const end = begin + raw.readUInt32LE(12);
    const strings = headerSize + raw.readUInt32LE(16);
    this.strings = raw.subarray(strings, strings + raw.readUInt32LE(20));
    for (let offset = begin; offset + typeHeaderSize <= end;) {
      const info = raw.readUInt32LE(offset + 4);
      const kind = (info >>> 24) & 0x1f;
      const count = info & 0xffff;
      const size = tailSize(kind, count);
      const tail = offset + typeHeaderSize;
      const sizeOrType = raw.readUInt32LE(offset + 8);
      this.types.push({ kind, sizeOrType, count, tail: raw.subarray(tail, tail + size) });
      offset = tail + size;
    }
  }

  /** Every place of the type, in the order of declaration. */
  fieldsOf(typeId: number): BtfField[] {
    const id = this.resolve(typeId);
    const { kind, count, tail } = this.typeOf(id);
    if (kind !== kinds.struct) {
      return [{ path: '', offset: 0, size: this.sizeOf(id) }];
    }
    return Array.from({ length: count }, (_, i) => {
      const name = this.nameAt(tail.readUInt32LE(i * memberSize));
      const offset = tail.readUInt32LE(i * memberSize + 8) / 8;
      return this.fieldsOf(tail.readUInt32LE(i * memberSize + 4)).map((inner) => ({
        path: inner.path === '' ? name : `${name}.${inner.path}`,
        offset: offset + inner.offset,
        size: inner.size,
      }));
    }).flat();
  }

  sizeOf(typeId: number): number {
    const id = this.resolve(typeId);
    const { kind, sizeOrType, tail } = this.typeOf(id);
    if (kind === kinds.array) {
      return this.sizeOf(tail.readUInt32LE(0)) * tail.readUInt32LE(8);
    }
    return kind === kinds.pointer ? 8 : sizeOrType;
  }

  private resolve(typeId: number): number {
    const names: readonly number[] = [kinds.typedef, kinds.volatile, kinds.const, kinds.restrict];
    let id = typeId;
    while (names.includes(this.typeOf(id).kind)) {
      id = this.typeOf(id).sizeOrType;
    }
    return id;
  }

  private typeOf(id: number): BtfType {
    const type = this.types[id];
    if (type === undefined) {
      throw new ContrailError('DATA_LOSS', `BTF: there is no type ${id}`);
    }
    return type;
  }

  private nameAt(offset: number): string {
    return this.strings.toString('utf8', offset, this.strings.indexOf(0, offset));
  }
}
