/** With whom `perms2.share` shares: one project, or every project of a domain. */
export interface ShareScope {
  readonly kind: 'project' | 'domain';
  readonly uuid: string;
}

/**
 * What `perms2.share[].tenant` names: `domain:<uuid>`, `tenant:<uuid>` or the uuid of a project alone, with and without dashes.
 * A text that is no uuid names nobody.
 */
export function shareScope(tenant: string): ShareScope {
  const [, kind = '', text = ''] = /^(?:(domain|tenant|project):)?([^]*)$/.exec(tenant) ?? [];
  return { kind: kind === 'domain' ? 'domain' : 'project', uuid: plainUuid(text) };
}

function plainUuid(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return text;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
