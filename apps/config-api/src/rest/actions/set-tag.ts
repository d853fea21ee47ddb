import { ContrailError } from '@contrail/errors';
import { describe, fieldsOf, metaOf, typeOf, withFields } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject } from '../objects/find-object';
import { modifyObject } from '../objects/update-object';
import { badField, isJsonObject, optionalText, textList, textMember, withoutMembers } from '../wire/json';
import type { Json, JsonObject } from '../wire/json';
import { typeMember } from './names';

/** Types of which an object may carry several tags. */
const repeatableTypes: ReadonlySet<string> = new Set(['label', 'neutron_fwaas', 'neutron_tag']);
const changesMax = 200;
const levelsMax = 8;

interface TagReference {
  readonly uuid: string;
  readonly fqName: readonly string[];
}

/** What shall happen to the tags of one type. */
interface TagChange {
  readonly tagType: string;
  /** All tags of the type go first. */
  readonly clear: boolean;
  readonly add: readonly TagReference[];
  readonly remove: readonly TagReference[];
}

/** `POST /set-tag`: attaches tags to an object and detaches them, several types at once. */
export async function setTags(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const wanted = withoutMembers(body, ['obj_type', 'obj_uuid']);
  const type = typeMember(body, 'obj_type');
  const object = await getObject(context.store, type, textMember(body, 'obj_uuid'));
  const entries = Object.entries(wanted);
  if (entries.length > changesMax)
    throw new ContrailError('INVALID_ARGUMENT', `body: has ${entries.length} types of tags, but at most ${changesMax} are allowed`);
  const changes: TagChange[] = [];
  for (const [tagType, value] of entries)
    changes.push(await toChange(context, object, tagType.toLowerCase(), value));
  await modifyObject(context, request.user, object, (stored) => {
    const before = (fieldsOf(stored)['tagRefs'] ?? []) as readonly TagReference[];
    return withFields(stored, { tagRefs: changes.reduce(applyChange, before) });
  });
  return json({});
}

function applyChange(before: readonly TagReference[], change: TagChange): readonly TagReference[] {
  const { tagType, clear, add, remove } = change;
  const gone = new Set([...remove, ...add].map(({ uuid }) => uuid));
  const kept = before.filter(
    ({ uuid, fqName }) => !gone.has(uuid) && !(clear && typeOfTag(fqName) === tagType),
  );
  return [...kept, ...add];
}

/** `tier=web` is of type `tier`. */
function typeOfTag(fqName: readonly string[]): string {
  return (fqName.at(-1) ?? '').split('=')[0] ?? '';
}

async function toChange(
  context: RestContext,
  object: Resource,
  tagType: string,
  wanted: Json,
): Promise<TagChange> {
  if (wanted === null) return { tagType, clear: true, add: [], remove: [] };
  if (!isJsonObject(wanted)) throw badField(tagType, wanted, 'null or an object with value');
  const value = optionalText(wanted, 'value');
  const lists = ['add_values', 'delete_values'].map((name) =>
    (wanted[name] ?? null) === null ? [] : textList(`${tagType}.${name}`, wanted[name]),
  );
  const [added = [], removed = []] = lists;
  const isRepeatable = repeatableTypes.has(tagType);
  if (!isRepeatable && added.length + removed.length > 0)
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${tagType}: has add_values or delete_values, but an object has one tag of this type; write value`,
    );
  if (typeOf(object) === 'address-group' && tagType !== 'label')
    throw new ContrailError('INVALID_ARGUMENT', `${tagType}: is a type of tag, but an address-group carries labels only; write label`);
  const isGlobal = wanted['is_global'] ?? false;
  if (typeof isGlobal !== 'boolean') throw badField(`${tagType}.is_global`, isGlobal, 'true or false');
  const scope = isGlobal ? [] : await projectName(context, object);
  const names = [...added, ...(value === undefined || value === '' ? [] : [value])];
  const find = (text: string): Promise<TagReference> =>
    findTag(context, [...scope, `${tagType}=${text}`]);
  return {
    tagType,
    clear: !isRepeatable,
    add: await Promise.all(names.map(find)),
    remove: await Promise.all(removed.map(find)),
  };
}

async function findTag({ store }: RestContext, fqName: readonly string[]): Promise<TagReference> {
  const [uuid] = await store.findUuids([{ type: 'tag', fqName }]);
  if (uuid !== undefined) return { uuid, fqName };
  throw new RestError(404, `Tag with FQName ${fqName.join(':').slice(0, 300)} not found; create it, or set is_global`);
}

/** The project in which tags that are not global are looked for. @throws ContrailError INVALID_ARGUMENT */
async function projectName({ store }: RestContext, object: Resource): Promise<readonly string[]> {
  let current: Resource | undefined = object;
  for (let level = 0; level < levelsMax && current !== undefined; level += 1) {
    if (typeOf(current) === 'project') return metaOf(current).fqName;
    const { parentUuid } = metaOf(current);
    current = parentUuid === '' ? undefined : (await store.getMany([parentUuid]))[0];
  }
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${describe(object)}: is in no project, so only global tags can be attached; set is_global`,
  );
}
