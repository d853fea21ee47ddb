import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { callUnary } from '@contrail/rpc';

const pageSize = 1000;

/** Every object of a type, page by page. */
export async function listAll(client: ConfigServiceClient, type: string): Promise<Resource[]> {
  const found: Resource[] = [];
  let pageToken = '';
  do {
    const page = await callUnary(client, 'list', { type, parentUuid: '', annotations: {}, pageSize, pageToken });
    found.push(...page.resources);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
