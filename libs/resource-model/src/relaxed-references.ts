import type { Meta } from '@contrail/proto-gen/config/v1/resources';

/** Annotation that names the targets, joined by commas; the REST API keeps it and hides it. */
const relaxedKey = 'rest.opencontrail.org/relaxed';

const none: ReadonlySet<string> = new Set();

/** uuids to which an object refers without keeping them from being deleted (ref-relax-for-delete of R21). */
export function relaxedTargets(meta: Meta | undefined): ReadonlySet<string> {
  const text = meta?.annotations[relaxedKey];
  return text === undefined || text === '' ? none : new Set(text.split(','));
}

/** The metadata with one target more. */
export function relaxTarget(meta: Meta, uuid: string): Meta {
  const targets = [...new Set([...relaxedTargets(meta), uuid])].sort();
  return { ...meta, annotations: { ...meta.annotations, [relaxedKey]: targets.join(',') } };
}
