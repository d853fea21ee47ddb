import { metaOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import type { Answer } from '../wire/json';
import { encodeBackReferences, encodeChild, encodeResource } from '../wire/encode-resource';
import type { Root } from '../wire/encode-resource';
import { restTypeOf } from '../wire/rest-types';

/** What of an object a client asks for. */
export interface View {
  /** undefined: everything. */
  readonly fields: ReadonlySet<string> | undefined;
  readonly children: boolean;
  readonly backRefs: boolean;
  readonly root: Root;
}

/** Children and referrers of one object that an answer has; beyond, list them with parent_id or back_ref_id. */
const dependentsMax = 100_000;
const chunkSize = 500;

/** Members that every answer has, whatever fields are asked for. */
const identityMembers = ['uuid', 'fq_name', 'name', 'href'];

/** Fields of a query: a comma list, also repeated; undefined when none are named. */
export function fieldsOfQuery(values: readonly string[]): ReadonlySet<string> | undefined {
  const names = values.flatMap((value) => value.split(',')).filter((name) => name !== '');
  return names.length === 0 ? undefined : new Set(names);
}

/** An object as a client wants to see it. */
export async function encodeView(
  store: ResourceStore,
  resource: Resource,
  view: View,
): Promise<Record<string, Answer>> {
  const whole = encodeResource(resource, view.root);
  const { fields } = view;
  const answer =
    fields === undefined
      ? whole
      : Object.fromEntries(
          Object.entries(whole).filter(
            ([name]) =>
              fields.has(name) || identityMembers.includes(name) || name.startsWith('parent_'),
          ),
        );
  await addDependents(store, resource, view, answer);
  return answer;
}

/** Adds the children and back references that the view asks for. */
export async function addDependents(
  store: ResourceStore,
  resource: Resource,
  { fields, children, backRefs, root }: View,
  answer: Record<string, Answer>,
): Promise<void> {
  const { uuid } = metaOf(resource);
  const wants = (field: string): boolean => fields === undefined || fields.has(field);
  const lists = new Map<string, Answer[]>();
  const add = (field: string, items: readonly Answer[]): void => {
    if (!wants(field)) return;
    const list = lists.get(field) ?? [];
    list.push(...items);
    lists.set(field, list);
  };
  if (children) {
    await eachDependent(store, uuid, ['c'], (child) => {
      add(restTypeOf(typeOf(child)).childrenField, [encodeChild(child, root)]);
    });
  }
  if (backRefs) {
    await eachDependent(store, uuid, ['s', 'w'], (referrer) => {
      add(restTypeOf(typeOf(referrer)).backRefsField, encodeBackReferences(referrer, uuid, root));
    });
  }
  for (const [field, items] of lists) answer[field] = items;
}

/** Reads those who depend on an object, some at a time. */
async function eachDependent(
  store: ResourceStore,
  uuid: string,
  kinds: readonly ('c' | 's' | 'w')[],
  take: (dependent: Resource) => void,
): Promise<void> {
  const seen = new Set<string>();
  for (const kind of kinds) {
    const found = await store.dependents(uuid, kind, dependentsMax);
    const uuids = found.filter((dependent) => !seen.has(dependent));
    for (const dependent of uuids) seen.add(dependent);
    for (let i = 0; i < uuids.length; i += chunkSize) {
      for (const dependent of await store.getMany(uuids.slice(i, i + chunkSize)))
        if (dependent !== undefined) take(dependent);
    }
  }
}
