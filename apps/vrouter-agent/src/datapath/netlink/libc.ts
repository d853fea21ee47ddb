/** The C library's calls for netlink sockets and network namespaces. Failure is -1 with errno. */
import { ContrailError } from '@contrail/errors';
import koffi from 'koffi';

export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  setns(fd: number, type: number): number;
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer, length: number): number;
  bind(fd: number, address: Buffer, length: number): number;
  send(fd: number, data: Buffer, length: number, flags: number): number;
  /** The same on a pool thread. */
  sendAsync(fd: number, data: Buffer, length: number, flags: number): Promise<number>;
  receive(fd: number, data: Buffer, length: number, flags: number): number;
  mmap(length: number, protection: number, fd: number, offset: number): bigint;
  munmap(address: bigint, length: number): number;
  /** Index of a device of the thread's network namespace; 0: there is none of the name. */
  deviceIndex(name: string): number;
  errno(): number;
}

function bindLibc(): Libc {
  const lib = koffi.load('libc.so.6');
  const send = lib.func('intptr_t send(int fd, void *data, size_t length, int flags)');
  const receive = lib.func('intptr_t recv(int fd, void *data, size_t length, int flags)');
  const mmap = lib.func(
    'intptr_t mmap(void *hint, size_t length, int protection, int flags, int fd, int64_t offset)',
  );
  const munmap = lib.func('int munmap(intptr_t address, size_t length)');
  const mapShared = 1;
  return {
    open: lib.func('int open(const char *path, int flags)'),
    close: lib.func('int close(int fd)'),
    setns: lib.func('int setns(int fd, int type)'),
    socket: lib.func('int socket(int domain, int type, int protocol)'),
    setsockopt: lib.func(
      'int setsockopt(int fd, int level, int name, void *value, uint32_t length)',
    ),
    bind: lib.func('int bind(int fd, void *address, uint32_t length)'),
    send: (fd, data, length, flags) => Number(send(fd, data, length, flags)),
    sendAsync: (fd, data, length, flags) =>
      new Promise((resolve, reject) => {
        send.async(fd, data, length, flags, (error: unknown, result: number | bigint) => {
          if (error === null) {
            resolve(Number(result));
          } else {
            reject(new ContrailError('INTERNAL', 'netlink: send failed', { cause: error }));
          }
        });
      }),
    receive: (fd, data, length, flags) => Number(receive(fd, data, length, flags)),
    mmap: (length, protection, fd, offset) =>
      BigInt(mmap(null, length, protection, mapShared, fd, offset)),
    munmap: (address, length) => Number(munmap(address, length)),
    deviceIndex: lib.func('unsigned int if_nametoindex(const char *name)'),
    errno: () => koffi.errno(),
  };
}

let bound: Libc | undefined;

export function libc(): Libc {
  bound ??= bindLibc();
  return bound;
}
