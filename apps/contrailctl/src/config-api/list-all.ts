import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { callUnary } from '@contrail/rpc';

const pageSize = 1000;

/** Which objects of a type. */
export interface ListFilter {
  /** '': any parent. */
  readonly parentUuid?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Every object of a type, page by page. */
export async function listAll(client: ConfigServiceClient, type: string, filter: ListFilter = {}): Promise<Resource[]> {
  const { parentUuid = '', annotations = {} } = filter;
  const found: Resource[] = [];
  let pageToken = '';
  do {
    const page = await callUnary(client, 'list', { type, parentUuid, annotations: { ...annotations }, pageSize, pageToken });
    found.push(...page.resources);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
