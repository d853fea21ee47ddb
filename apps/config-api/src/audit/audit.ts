import { isDebugWritten, logger } from '@contrail/telemetry';

const log = logger('audit');
/** Objects that one line names. */
const namedMax = 50;

export type AuditVerb = 'get' | 'list' | 'create' | 'update' | 'upsert' | 'delete' | 'use';

export interface AuditEntry {
  /** A user of Kubernetes, or `service:<name>` for one of ours. */
  readonly user: string;
  readonly verb: AuditVerb;
  /** `VirtualNetwork/default-domain:blue:net`, one or several. */
  readonly objects: readonly string[];
  readonly result: 'done' | 'denied';
}

/** Writes down who changed what, or wanted to and might not. */
export function audit(entry: AuditEntry): void {
  log.info('change', bounded(entry));
}

/** For changes that follow from those of others, and are many: seen with LOG_LEVEL=debug. */
export function auditDerived(entry: AuditEntry): void {
  log.debug('change', bounded(entry));
}

/** Whether `auditDerived` has an effect. */
export function isDerivedWritten(): boolean {
  return isDebugWritten();
}

function bounded({ objects, ...entry }: AuditEntry): Record<string, unknown> {
  if (objects.length <= namedMax) return { ...entry, objects };
  return { ...entry, objects: objects.slice(0, namedMax), more: objects.length - namedMax };
}
