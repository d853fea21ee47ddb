import { ContrailError } from '@contrail/errors';
import { ConfigServiceService } from '@contrail/proto-gen/config/v1/config_service';
import type { ObjectKey, Operation, WatchResponse } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { describe, fieldsOf, mapRefs, metaOf, referenceField, setMeta, specOf, toCamelCase, typeOf, withFields } from '@contrail/resource-model';
import { defineService, serverStream, unary } from '@contrail/rpc';
import type { MethodSpec, ServiceSpec } from '@contrail/rpc';

type Send = (message: WatchResponse) => void;

/** The part of config-api that contrailctl calls, over objects in memory, in pages of two. */
export class FakeConfigApi {
  readonly objects = new Map<string, Resource>();
  readonly #watchers = new Set<{ types: readonly string[]; send: Send }>();
  #revision = 0n;

  put(resource: Resource): Resource {
    this.#revision += 1n;
    const meta = metaOf(resource);
    const uuid = meta.uuid || `00000000-0000-4000-8000-${String(this.#revision).padStart(12, '0')}`;
    const parentType = meta.parentType || (specOf(typeOf(resource)).parents[0] ?? '');
    const above = parentType === 'config-root' ? ['config-root'] : meta.fqName.slice(0, -1);
    const parent = this.#find({ uuid: '', type: parentType, fqName: above });
    const parentUuid = parent === undefined ? '' : metaOf(parent).uuid;
    const stored = setMeta(this.#resolve(resource), { ...meta, uuid, parentType, parentUuid, revision: this.#revision });
    this.objects.set(uuid, stored);
    this.#announce(uuid, stored);
    return stored;
  }

  service(): ServiceSpec {
    const allow = ['contrailctl'];
    const absent = <I, O>(): MethodSpec<I, O> => ({ allow, handle: unary(() => Promise.reject(new ContrailError('UNIMPLEMENTED', 'not here'))) });
    return defineService(ConfigServiceService, {
      get: { allow, handle: unary(({ key }) => Promise.resolve({ resource: this.#get(key) })) },
      list: {
        allow,
        handle: unary(({ type, parentUuid, annotations, pageToken }) => {
          const all = [...this.objects.values()].filter((resource) => {
            const meta = metaOf(resource);
            const has = Object.entries(annotations).every(([key, value]) => meta.annotations[key] === value);
            return typeOf(resource) === type && (parentUuid === '' || meta.parentUuid === parentUuid) && has;
          });
          const from = Number(pageToken);
          return Promise.resolve({ resources: all.slice(from, from + 2), nextPageToken: from + 2 < all.length ? String(from + 2) : '' });
        }),
      },
      transact: {
        allow,
        handle: unary(({ operations }) => {
          const before = new Map(this.objects);
          try {
            return Promise.resolve({ revision: this.#revision, results: operations.map((operation) => this.#run(operation)) });
          } catch (error) {
            this.objects.clear();
            for (const [uuid, resource] of before) this.objects.set(uuid, resource);
            return Promise.reject(error instanceof Error ? error : new Error(String(error)));
          }
        }),
      },
      watch: {
        allow,
        handle: serverStream(async ({ types }, stream) => {
          const send: Send = (message) => void stream.write(message).catch(() => undefined);
          const resources = [...this.objects.values()].filter((resource) => types.length === 0 || types.includes(typeOf(resource)));
          send({ kind: { $case: 'snapshot', value: { resources } } });
          send({ kind: { $case: 'inSync', value: { token: { epoch: 'e', revision: this.#revision } } } });
          const watcher = { types, send };
          this.#watchers.add(watcher);
          await new Promise((gone) => stream.signal.addEventListener('abort', gone, { once: true }));
          this.#watchers.delete(watcher);
        }),
      },
      ...{ create: absent(), update: absent(), delete: absent() },
      ...{ allot: absent(), reportProgress: absent(), getProgress: absent(), reportConflicts: absent() },
    });
  }

  /** References with uuids. */
  #resolve(resource: Resource): Resource {
    return mapRefs(resource, ({ type, uuid, fqName }) => {
      const found = this.#find({ uuid, type, fqName: [...fqName] });
      return { uuid: found === undefined ? uuid : metaOf(found).uuid, fqName: [...fqName] };
    });
  }

  #get(key: ObjectKey | undefined): Resource {
    const found = key && this.#find(key);
    if (found === undefined) throw new ContrailError('NOT_FOUND', `${key?.type ?? ''} ${key?.uuid || key?.fqName.join(':') || ''} does not exist`);
    return found;
  }

  #find({ uuid, type, fqName }: ObjectKey): Resource | undefined {
    if (uuid !== '') return this.objects.get(uuid);
    return [...this.objects.values()].find((resource) => typeOf(resource) === type && metaOf(resource).fqName.join() === fqName.join());
  }

  #run({ kind }: Operation): { resource: Resource | undefined; changed: boolean } {
    switch (kind?.$case) {
      case 'create': {
        const { resource } = kind.value;
        if (resource === undefined) throw new ContrailError('INVALID_ARGUMENT', 'no resource');
        const { fqName } = metaOf(resource);
        if (this.#find({ uuid: '', type: typeOf(resource), fqName }) !== undefined)
          throw new ContrailError('ALREADY_EXISTS', `${describe(resource)}: exists already; choose another name`);
        return { resource: this.put(resource), changed: true };
      }
      case 'update': {
        const given = kind.value.resource;
        if (given === undefined) throw new ContrailError('INVALID_ARGUMENT', 'no resource');
        const stored = this.#get({ uuid: metaOf(given).uuid, type: typeOf(given), fqName: metaOf(given).fqName });
        const merged = this.#resolve(masked(stored, given, kind.value.updateMask ?? []));
        const changed = JSON.stringify(fieldsOf(merged), text) !== JSON.stringify(fieldsOf(stored), text);
        return { resource: changed ? this.put(merged) : stored, changed };
      }
      case 'delete': {
        // As config-api: deleting what is absent succeeds.
        const stored = kind.value.key && this.#find(kind.value.key);
        if (stored === undefined) return { resource: undefined, changed: false };
        this.objects.delete(metaOf(stored).uuid);
        this.#revision += 1n;
        this.#announce(metaOf(stored).uuid, undefined, typeOf(stored));
        return { resource: undefined, changed: true };
      }
      default:
        throw new ContrailError('UNIMPLEMENTED', 'not here');
    }
  }

  #announce(uuid: string, resource: Resource | undefined, type = resource === undefined ? '' : typeOf(resource)): void {
    const change = { revision: this.#revision, type, uuid, resource, traceparent: '' };
    const value = { changes: [change], token: { epoch: 'e', revision: this.#revision } };
    for (const { types, send } of this.#watchers) if (types.length === 0 || types.includes(type)) send({ kind: { $case: 'changes', value } });
  }
}

/** As config-api does, for whole fields. */
function masked(stored: Resource, given: Resource, paths: readonly string[]): Resource {
  const { references } = specOf(typeOf(stored));
  return paths.reduce((result, path) => {
    if (path === 'meta.annotations') return setMeta(result, { ...metaOf(result), annotations: metaOf(given).annotations });
    const reference = references.find(({ to }) => `${to.replaceAll('-', '_')}_refs` === path);
    const field = reference === undefined ? toCamelCase(path) : referenceField(reference);
    return withFields(result, { [field]: fieldsOf(given)[field] });
  }, stored);
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
