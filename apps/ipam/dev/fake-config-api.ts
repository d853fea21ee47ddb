import { ContrailError } from '@contrail/errors';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type { WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { completeResource, metaOf, setMeta } from '@contrail/resource-model';
import { defineService, serverStream, unary } from '@contrail/rpc';
import type { MethodSpec, ServiceSpec } from '@contrail/rpc';

/** The part of config-api that ipam calls, over a list of objects in memory. */
export class FakeConfigApi {
  readonly #objects = new Map<string, Resource>();
  readonly #watchers = new Set<(change: WatchResponse) => void>();
  #revision = 0n;

  put(resource: Resource): void {
    this.#revision += 1n;
    const complete = completeResource(resource);
    const stored = setMeta(complete, { ...metaOf(complete), revision: this.#revision });
    const { uuid } = metaOf(stored);
    this.#objects.set(uuid, stored);
    this.#announce({ uuid, resource: stored });
  }

  delete(uuid: string): void {
    this.#revision += 1n;
    this.#objects.delete(uuid);
    this.#announce({ uuid, resource: undefined });
  }

  service(): ServiceSpec {
    const refuse = (): Promise<never> =>
      Promise.reject(
        new ContrailError('UNIMPLEMENTED', 'the fake config-api has only Get and Watch'),
      );
    const absent = <I, O>(): MethodSpec<I, O> => ({ allow: 'any', handle: unary(refuse) });
    return defineService(ConfigServiceService, {
      get: {
        allow: 'any',
        handle: unary(({ key }) => {
          const resource = this.#objects.get(key?.uuid ?? '');
          if (resource === undefined)
            return Promise.reject(
              new ContrailError(
                'NOT_FOUND',
                `${key?.type ?? ''} ${key?.uuid ?? ''} does not exist`,
              ),
            );
          return Promise.resolve({ resource });
        }),
      },
      watch: { allow: 'any', handle: serverStream((_, stream) => this.#watch(stream)) },
      ...{
        list: absent(),
        create: absent(),
        update: absent(),
        delete: absent(),
        transact: absent(),
      },
      ...{ allot: absent(), reportProgress: absent(), getProgress: absent(), reportConflicts: absent() },
    });
  }

  async #watch(stream: {
    write(message: WatchResponse): Promise<void>;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const token = { epoch: 'fake', revision: this.#revision };
    const send = (message: WatchResponse): void =>
      void stream.write(message).catch(() => undefined);
    send({ kind: { $case: 'snapshot', value: { resources: [...this.#objects.values()] } } });
    send({ kind: { $case: 'inSync', value: { token } } });
    this.#watchers.add(send);
    await new Promise((resolve) =>
      stream.signal.addEventListener('abort', resolve, { once: true }),
    );
    this.#watchers.delete(send);
  }

  #announce({ uuid, resource }: { uuid: string; resource: Resource | undefined }): void {
    const change = { revision: this.#revision, type: '', uuid, resource, traceparent: '' };
    const token = { epoch: 'fake', revision: this.#revision };
    for (const send of this.#watchers)
      send({ kind: { $case: 'changes', value: { changes: [change], token } } });
  }
}
