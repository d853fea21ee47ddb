/**
 * libbpf.so.1 through koffi. Calls return a negative errno when they fail; objects are addresses.
 * Buffers given to the kernel are referenced by the caller until the call returns.
 */
import { ContrailError, errorText } from '@contrail/errors';
import koffi from 'koffi';

type Pointer = bigint | null;

export interface Libbpf {
  openFile(path: string, options: null): Pointer;
  load(object: Pointer): number;
  closeObject(object: Pointer): void;
  nextMap(object: Pointer, previous: Pointer): Pointer;
  mapName(map: Pointer): string;
  mapFd(map: Pointer): number;
  mapKeySize(map: Pointer): number;
  mapValueSize(map: Pointer): number;
  mapMaxEntries(map: Pointer): number;
  mapType(map: Pointer): number;
  mapFlags(map: Pointer): number;
  mapKeyTypeId(map: Pointer): number;
  mapValueTypeId(map: Pointer): number;
  setMapMaxEntries(map: Pointer, entries: number): number;
  setMapFlags(map: Pointer, flags: number): number;
  setMapKeySize(map: Pointer, bytes: number): number;
  setMapValueSize(map: Pointer, bytes: number): number;
  /** What a map of constants holds when the programs are loaded. */
  setInitialValue(map: Pointer, value: Buffer, length: number): number;
  /** The template of the maps in a map of maps. */
  innerMap(map: Pointer): Pointer;
  /** Types of an opened object; they end with it. */
  objectBtf(object: Pointer): Pointer;
  /** Types that the kernel knows; the caller frees them. null: there are none. */
  kernelBtf(id: number): Pointer;
  freeBtf(btf: Pointer): void;
  /** A copy. */
  rawBtf(btf: Pointer): Buffer;
  reuseMapFd(map: Pointer, fd: number): number;
  nextProgram(object: Pointer, previous: Pointer): Pointer;
  programName(program: Pointer): string;
  programFd(program: Pointer): number;
  setProgramAutoload(program: Pointer, autoload: boolean): number;
  pin(fd: number, path: string): number;
  get(path: string): number;
  update(fd: number, key: Buffer, value: Buffer, flags: bigint): number;
  lookup(fd: number, key: Buffer, value: Buffer): number;
  remove(fd: number, key: Buffer): number;
  nextKey(fd: number, key: Buffer | null, next: Buffer): number;
  updateBatch(fd: number, keys: Buffer, values: Buffer, count: Buffer, options: Buffer): number;
  removeBatch(fd: number, keys: Buffer, count: Buffer, options: Buffer): number;
  lookupBatch(
    fd: number,
    inBatch: Buffer | null,
    outBatch: Buffer,
    keys: Buffer,
    values: Buffer,
    count: Buffer,
    options: Buffer,
  ): number;
  /** `bpf_prog_info` or `bpf_map_info` of the descriptor. */
  objectInfo(fd: number, info: Buffer, length: Buffer): number;
  createHook(hook: Buffer): number;
  /** Fills the id of the program at the hook into the options. */
  queryClassifier(hook: Buffer, options: Buffer): number;
  attachClassifier(hook: Buffer, options: Buffer): number;
  detachClassifier(hook: Buffer, options: Buffer): number;
  testRun(fd: number, options: Buffer): number;
  /** The same on a pool thread. */
  testRunAsync(fd: number, options: Buffer): Promise<number>;
  /** 1: the kernel has programs of the type. */
  probeProgramType(programType: number): number;
  /** 1: the kernel has maps of the type. */
  probeMapType(mapType: number): number;
  /** 1: programs of the type may call the helper. */
  probeHelper(programType: number, helper: number): number;
  /** A program of eight-byte instructions under the licence GPL; its descriptor. */
  loadProgram(programType: number, instructions: Buffer): number;
  /** Whether libbpf writes what the kernel's verifier says to standard error. */
  setPrinting(on: boolean): void;
}

function bind(): Libbpf {
  const lib = koffi.load('libbpf.so.1');
  const testRun = lib.func('int bpf_prog_test_run_opts(int fd, void *options)');
  const probe = lib.func('int libbpf_probe_bpf_prog_type(int type, void *options)');
  const probeMap = lib.func('int libbpf_probe_bpf_map_type(int type, void *options)');
  const probeHelper = lib.func(
    'int libbpf_probe_bpf_helper(int type, int helper, void *options)',
  );
  const loadProgram = lib.func(
    'int bpf_prog_load(int type, const char *name, const char *licence, void *instructions, size_t count, void *options)',
  );
  const rawData = lib.func('void *btf__raw_data(void *btf, void *size)');
  const setPrint = lib.func('void *libbpf_set_print(void *function)');
  let printer: Pointer = setPrint(null);
  return {
    openFile: lib.func('void *bpf_object__open_file(const char *path, void *options)'),
    load: lib.func('int bpf_object__load(void *object)'),
    closeObject: lib.func('void bpf_object__close(void *object)'),
    nextMap: lib.func('void *bpf_object__next_map(void *object, void *previous)'),
    mapName: lib.func('const char *bpf_map__name(void *map)'),
    mapFd: lib.func('int bpf_map__fd(void *map)'),
    mapKeySize: lib.func('uint32_t bpf_map__key_size(void *map)'),
    mapValueSize: lib.func('uint32_t bpf_map__value_size(void *map)'),
    mapMaxEntries: lib.func('uint32_t bpf_map__max_entries(void *map)'),
    mapType: lib.func('int bpf_map__type(void *map)'),
    mapFlags: lib.func('uint32_t bpf_map__map_flags(void *map)'),
    mapKeyTypeId: lib.func('uint32_t bpf_map__btf_key_type_id(void *map)'),
    mapValueTypeId: lib.func('uint32_t bpf_map__btf_value_type_id(void *map)'),
    setMapMaxEntries: lib.func('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
    setMapFlags: lib.func('int bpf_map__set_map_flags(void *map, uint32_t flags)'),
    setMapKeySize: lib.func('int bpf_map__set_key_size(void *map, uint32_t bytes)'),
    setMapValueSize: lib.func('int bpf_map__set_value_size(void *map, uint32_t bytes)'),
    setInitialValue: lib.func('int bpf_map__set_initial_value(void *map, void *value, size_t length)'),
    innerMap: lib.func('void *bpf_map__inner_map(void *map)'),
    objectBtf: lib.func('void *bpf_object__btf(void *object)'),
    kernelBtf: lib.func('void *btf__load_from_kernel_by_id(uint32_t id)'),
    freeBtf: lib.func('void btf__free(void *btf)'),
    rawBtf: (btf) => {
      const size = Buffer.alloc(4);
      const address: Pointer = rawData(btf, size);
      if (address === null) {
        throw new ContrailError('DATA_LOSS', 'BTF: there are no types');
      }
      return Buffer.from(Buffer.from(koffi.view(address, size.readUInt32LE())));
    },
    reuseMapFd: lib.func('int bpf_map__reuse_fd(void *map, int fd)'),
    nextProgram: lib.func('void *bpf_object__next_program(void *object, void *previous)'),
    programName: lib.func('const char *bpf_program__name(void *program)'),
    programFd: lib.func('int bpf_program__fd(void *program)'),
    setProgramAutoload: lib.func('int bpf_program__set_autoload(void *program, bool autoload)'),
    pin: lib.func('int bpf_obj_pin(int fd, const char *path)'),
    get: lib.func('int bpf_obj_get(const char *path)'),
    update: lib.func('int bpf_map_update_elem(int fd, void *key, void *value, uint64_t flags)'),
    lookup: lib.func('int bpf_map_lookup_elem(int fd, void *key, void *value)'),
    remove: lib.func('int bpf_map_delete_elem(int fd, void *key)'),
    nextKey: lib.func('int bpf_map_get_next_key(int fd, void *key, void *next)'),
    updateBatch: lib.func(
      'int bpf_map_update_batch(int fd, void *keys, void *values, void *count, void *options)',
    ),
    removeBatch: lib.func(
      'int bpf_map_delete_batch(int fd, void *keys, void *count, void *options)',
    ),
    lookupBatch: lib.func(
      'int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *options)',
    ),
    objectInfo: lib.func('int bpf_obj_get_info_by_fd(int fd, void *info, void *length)'),
    queryClassifier: lib.func('int bpf_tc_query(void *hook, void *options)'),
    createHook: lib.func('int bpf_tc_hook_create(void *hook)'),
    attachClassifier: lib.func('int bpf_tc_attach(void *hook, void *options)'),
    detachClassifier: lib.func('int bpf_tc_detach(void *hook, void *options)'),
    testRun: (fd, options) => Number(testRun(fd, options)),
    testRunAsync: (fd, options) =>
      new Promise((resolve, reject) => {
        testRun.async(fd, options, (error: unknown, result: number) => {
          if (error === null) {
            resolve(result);
          } else {
            reject(new ContrailError('INTERNAL', `bpf_prog_test_run: ${errorText(error)}`));
          }
        });
      }),
    probeProgramType: (programType) => Number(probe(programType, null)),
    probeMapType: (mapType) => Number(probeMap(mapType, null)),
    probeHelper: (programType, helper) => Number(probeHelper(programType, helper, null)),
    loadProgram: (programType, instructions) =>
      Number(loadProgram(programType, 'probe', 'GPL', instructions, instructions.length / 8, null)),
    setPrinting: (on) => {
      if (on) {
        setPrint(printer);
      } else {
        const before: Pointer = setPrint(null);
        printer = before ?? printer;
      }
    },
  };
}

/** Follows one of libbpf's lists. */
export function* iterate(next: (previous: bigint | null) => bigint | null): Generator<bigint> {
  for (let item = next(null); item !== null; item = next(item)) {
    yield item;
  }
}

let loaded: Libbpf | undefined;

/** @throws ContrailError FAILED_PRECONDITION when the library is not installed. */
export function libbpf(): Libbpf {
  try {
    loaded ??= bind();
    return loaded;
  } catch (cause) {
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Datapath library: libbpf.so.1 cannot be used (${
        errorText(cause)
      }); install the package libbpf1`,
      { cause },
    );
  }
}

/** errno of <asm-generic/errno-base.h> and <asm-generic/errno.h> that we name. */
export const errno = {
  ENOENT: 2,
  E2BIG: 7,
  ENOMEM: 12,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  /** The kernel's own "operation not supported". */
  ENOTSUPP: 524,
} as const;
