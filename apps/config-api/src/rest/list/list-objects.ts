import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { addDependents } from '../objects/read-object';
import { encodeIdentity, encodeResource } from '../wire/encode-resource';
import { toJsonText } from '../wire/json';
import type { Answer } from '../wire/json';
import type { RestType } from '../wire/rest-types';
import { matchesFilters } from './filters';
import type { ListQuery } from './list-query';
import { belongsTo, listSources, resolveParent } from './list-sources';
import type { ListSource } from './list-sources';

/** Objects read at once. */
const pageSize = 500;

interface Listing {
  readonly context: RestContext;
  readonly request: UserRequest;
  readonly type: RestType;
  readonly query: ListQuery;
}

/** A part of a list, and where the next part begins; '' at the end. */
interface Part {
  readonly resources: readonly Resource[];
  readonly marker: string;
}

/** Lists what the user may see. The answer is written page by page. @throws ContrailError, RestError */
export async function listObjects(
  context: RestContext,
  request: UserRequest,
  wanted: { readonly type: RestType; readonly query: ListQuery },
): Promise<Reply> {
  const query = await resolveParent(context.store, wanted.type, wanted.query);
  const listing: Listing = { context, request, type: wanted.type, query };
  if (query.count) {
    let count = 0;
    for await (const { resources } of parts(listing)) count += resources.length;
    return json({ [wanted.type.plural]: { count } });
  }
  return { kind: 'stream', pieces: pieces(listing) };
}

async function* pieces(listing: Listing): AsyncGenerator<string> {
  const { type, query } = listing;
  let text = `{${JSON.stringify(type.plural)}:[`;
  let isFirst = true;
  let marker = '';
  for await (const part of parts(listing)) {
    for (const resource of part.resources) {
      text += `${isFirst ? '' : ','}${toJsonText(await encodeItem(listing, resource))}`;
      isFirst = false;
    }
    marker = part.marker;
    yield text;
    text = '';
  }
  const paging = query.limit === undefined ? '' : `,"marker":${JSON.stringify(marker || null)}`;
  yield `${text}]${paging}}`;
}

async function encodeItem(
  { context, request, type, query }: Listing,
  resource: Resource,
): Promise<Answer> {
  const root = query.excludeHrefs ? undefined : request.root;
  const { fields, detail } = query;
  const answer: Record<string, Answer> = detail
    ? encodeResource(resource, root)
    : encodeIdentity(resource, root);
  if (fields !== undefined) {
    if (!detail) {
      const whole = encodeResource(resource, root);
      for (const field of fields) {
        const value = whole[field];
        if (value !== undefined) answer[field] = value;
      }
    }
    const children = [...fields].some((field) => field.endsWith('s') && !field.endsWith('_refs'));
    const backRefs = [...fields].some((field) => field.endsWith('_back_refs'));
    await addDependents(context.store, resource, { fields, children, backRefs, root }, answer);
  }
  return detail ? { [type.name]: answer } : answer;
}

/** The wanted objects in parts, no further than the client's limit. */
async function* parts(listing: Listing): AsyncGenerator<Part> {
  const { context, type, query } = listing;
  const sources = await listSources(context.store, type, query);
  const belongs = belongsTo(query);
  const takes = (resource: Resource): Promise<boolean> => isWanted(listing, resource, belongs);
  yield* walk(sources, listing, takes);
  const isElsewhere = query.parentUuids !== undefined || query.parentName !== undefined;
  if (!query.shared || !isElsewhere || query.limit !== undefined) return;
  const everywhere = await listSources(context.store, type, { ...query, parentUuids: undefined });
  yield* walk(everywhere, listing, async (resource) => {
    if (belongs(resource) || !matches(listing, resource)) return false;
    return await context.authorizer.isSharedWith(listing.request.user, 'list', resource);
  });
}

async function* walk(
  sources: readonly ListSource[],
  { request, query }: Listing,
  takes: (resource: Resource) => Promise<boolean>,
): AsyncGenerator<Part> {
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  let { index, after } = parseMarker(query.marker);
  for (let source = sources[index]; source !== undefined; source = sources[index]) {
    const page = await source.page(after, Math.min(pageSize, left));
    if (request.signal.aborted) return;
    const resources: Resource[] = [];
    for (const resource of page.resources) if (await takes(resource)) resources.push(resource);
    left -= resources.length;
    after = page.next;
    if (after === '') index += 1;
    const isLast = index >= sources.length;
    yield { resources, marker: isLast ? '' : `${index}.${after}` };
    if (left <= 0) return;
  }
}

/** `<index of the source>.<position in it>`, as given out with the page before. */
function parseMarker(marker: string): { index: number; after: string } {
  if (marker === '') return { index: 0, after: '' };
  const match = /^(\d{1,6})\.([\w-]*)$/.exec(marker);
  if (match === null)
    throw new RestError(400, 'pageMarker: is none of ours; send the marker of the page before');
  return { index: Number(match[1]), after: match[2] ?? '' };
}

async function isWanted(
  listing: Listing,
  resource: Resource,
  belongs: (resource: Resource) => boolean,
): Promise<boolean> {
  if (!belongs(resource) || !matches(listing, resource)) return false;
  return await listing.context.authorizer.may(listing.request.user, 'list', resource);
}

function matches({ query }: Listing, resource: Resource): boolean {
  return (
    query.filters.size === 0 || matchesFilters(encodeResource(resource, undefined), query.filters)
  );
}
