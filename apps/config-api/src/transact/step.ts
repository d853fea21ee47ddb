import { ContrailError } from '@contrail/errors';
import {
  describe,
  metaOf,
  onlyParentType,
  parseResourceType,
  setMeta,
  typeOf,
} from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { ObjectKey, Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

/** How an object is named in a request: by uuid, or by type and name. */
export type StepKey =
  | { readonly by: 'uuid'; readonly uuid: string; readonly type: ResourceType | undefined }
  | { readonly by: 'name'; readonly type: ResourceType; readonly fqName: readonly string[] };

interface StepBase {
  /** `operations[3]: ` in a transaction of several operations, else empty; begins error texts. */
  readonly label: string;
  /** W3C traceparent of who asked for it; absent: that of the transaction. */
  readonly traceparent?: string;
}

/** One operation of a request, checked for form. */
export type Step =
  | (StepBase & { readonly kind: 'create' | 'upsert'; readonly resource: Resource })
  | (StepBase & {
      readonly kind: 'update';
      readonly resource: Resource;
      readonly mask: readonly string[];
      /** 0: any revision. */
      readonly expected: bigint;
    })
  | (StepBase & {
      readonly kind: 'modify';
      readonly uuid: string;
      readonly type: ResourceType;
      readonly change: ResourceChange;
    })
  | (StepBase & { readonly kind: 'delete'; readonly key: StepKey; readonly expected: bigint });

/**
 * Computes the object as it shall be from the object as it is. Called again when somebody else changed
 * the object meanwhile, so it depends on nothing else; references have uuids.
 */
export type ResourceChange = (current: Resource) => Resource;

/** A namespace of 2 400 pods moves to other networks in one. */
export const operationsMax = 5_000;

/** @throws ContrailError INVALID_ARGUMENT for an operation that says too little. */
export function toSteps(operations: readonly Operation[], newUuid: () => string): Step[] {
  if (operations.length > operationsMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `operations: has ${operations.length} entries, but a transaction has at most ${operationsMax}; send several`,
    );
  }
  return operations.map((operation, index) => {
    const label = operations.length > 1 ? `operations[${index}]: ` : '';
    const step = toStep(operation, label, newUuid);
    return operation.traceparent === undefined
      ? step
      : { ...step, traceparent: traceparentOf(operation.traceparent, label) };
  });
}

const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceparentOf(text: string, label: string): string {
  if (text === '' || traceparentForm.test(text)) return text;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${label}traceparent: is "${text.slice(0, 60)}", but it must have the form of W3C Trace Context`,
  );
}

function toStep(operation: Operation, label: string, newUuid: () => string): Step {
  const kind = operation.kind;
  switch (kind?.$case) {
    case 'create':
      return {
        kind: 'create',
        label,
        resource: withIdentity(resourceOf(kind.value.resource, label), newUuid),
      };
    case 'upsert':
      return { kind: 'upsert', label, resource: resourceOf(kind.value.resource, label) };
    case 'update':
      return {
        kind: 'update',
        label,
        resource: resourceOf(kind.value.resource, label),
        mask: kind.value.updateMask ?? [],
        expected: kind.value.expectedRevision,
      };
    case 'delete':
      return {
        kind: 'delete',
        label,
        key: parseKey(kind.value.key, label),
        expected: kind.value.expectedRevision,
      };
    case undefined:
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${label}operation: is empty; set create, update, delete or upsert`,
      );
  }
}

/** @throws ContrailError INVALID_ARGUMENT when the key names nothing. */
export function parseKey(key: ObjectKey | undefined, label = ''): StepKey {
  if (key !== undefined && key.uuid !== '') {
    const type = key.type === '' ? undefined : parseResourceType(key.type);
    return { by: 'uuid', uuid: key.uuid, type };
  }
  if (key !== undefined && key.type !== '' && key.fqName.length > 0) {
    return { by: 'name', type: parseResourceType(key.type), fqName: key.fqName };
  }
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${label}key: names no object; set uuid, or type and fq_name`,
  );
}

function resourceOf(resource: Resource | undefined, label: string): Resource {
  if (resource?.kind === undefined) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${label}resource.kind: is empty; set the message of one type`,
    );
  }
  const meta = resource.kind.value.meta;
  if (meta === undefined || (meta.uuid === '' && meta.fqName.length === 0)) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${label}${describe(resource)} meta: is empty; set uuid and fq_name`,
    );
  }
  const parentType = meta.parentType || onlyParentType(typeOf(resource));
  return parentType === meta.parentType ? resource : setMeta(resource, { ...meta, parentType });
}

function withIdentity(resource: Resource, newUuid: () => string): Resource {
  const meta = metaOf(resource);
  return meta.uuid === '' ? setMeta(resource, { ...meta, uuid: newUuid() }) : resource;
}
