import { ContrailError } from '@contrail/errors';
import type { ObjectConflict, ReportConflictsRequest } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { metaOf, routeConflictKey, setMeta } from '@contrail/resource-model';
import { currentTraceparent } from '@contrail/telemetry';
import type { Transactor } from '../transact/transactor';

const conflictsMax = 1_000;
const textLengthMax = 4_096;
const types = ['virtual-network', 'network-policy'] as const;

/**
 * Writes the conflicts on their objects as the annotation `route_conflict`, or removes it; what says so already is not
 * written again, and an object that is gone needs none. One object that cannot be written does not keep the others.
 *
 * @throws ContrailError INVALID_ARGUMENT, and what the first object that could not be written says.
 */
export async function reportConflicts(
  transactor: Pick<Transactor, 'modify'>,
  { conflicts }: ReportConflictsRequest,
): Promise<void> {
  if (conflicts.length > conflictsMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `conflicts: has ${conflicts.length} entries, but at most ${conflictsMax} are allowed; send several requests`,
    );
  }
  const targets = conflicts.map((conflict, i) => ({ ...conflict, type: typeOf(conflict, i) }));
  const problems: unknown[] = [];
  for (const { type, uuid, text } of targets) {
    const change = (current: Resource): Resource => withConflict(current, text.slice(0, textLengthMax));
    await transactor.modify({ type, uuid }, change, currentTraceparent()).catch((error: unknown) => {
      if (!(error instanceof ContrailError && error.code === 'NOT_FOUND')) problems.push(error);
    });
  }
  if (problems.length > 0) throw problems[0];
}

function typeOf({ type }: ObjectConflict, i: number): (typeof types)[number] {
  const known = types.find((name) => name === type);
  if (known !== undefined) return known;
  throw new ContrailError('INVALID_ARGUMENT', `conflicts[${i}].type: is "${type}"; write ${types.join(' or ')}`);
}

function withConflict(current: Resource, text: string): Resource {
  const meta = metaOf(current);
  const others = Object.entries(meta.annotations).filter(([key]) => key !== routeConflictKey);
  const own = text === '' ? [] : [[routeConflictKey, text] as const];
  return setMeta(current, { ...meta, annotations: Object.fromEntries([...others, ...own]) });
}
