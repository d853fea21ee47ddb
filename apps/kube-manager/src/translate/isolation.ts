import type { Meta } from '@contrail/proto-gen/config/v1/resources';
import { isolationKey, serviceIsolationKey } from './annotation-keys';
import { defaultNamespace, systemNamespace } from './cluster';
import type { Complaint } from './complaint';
import type { KubeNamespace } from './kube-objects';

/**
 * What of a namespace has networks of its own: nothing; its pods, while everybody reaches its services (service
 * isolation lifted); pods and services.
 */
export type Isolation = 'none' | 'pods' | 'full';

/** Annotation of the namespace's default security group: what its pods and services live by now. */
const appliedKey = 'isolation';

export function isolationAnnotations(isolation: Isolation): Record<string, string> {
  return { [appliedKey]: isolation };
}

/** @param meta of the namespace's default security group; one that says nothing belongs to no isolated namespace. */
export function appliedIsolation({ annotations }: Pick<Meta, 'annotations'>): Isolation {
  const text = annotations[appliedKey];
  return text === 'full' || text === 'pods' ? text : 'none';
}

export interface WantedIsolation {
  readonly isolation: Isolation;
  readonly complaints: readonly Complaint[];
}

/**
 * What the annotations of a namespace ask for. A malformed value keeps what is applied; a new namespace is isolated by it,
 * because whoever wrote it did not mean an open one. The cluster's own namespaces are never isolated.
 *
 * @param applied undefined for a namespace that is new.
 */
export function wantedIsolation(namespace: KubeNamespace, applied: Isolation | undefined): WantedIsolation {
  const text = namespace.isolation;
  if (text === undefined) return { isolation: 'none', complaints: [] };
  const isOn = parseFlag(text);
  if (isOn === false) return { isolation: 'none', complaints: [] };
  if (namespace.name === defaultNamespace || namespace.name === systemNamespace) {
    return { isolation: 'none', complaints: [refusal(namespace)] };
  }
  const complaints = isOn === undefined ? [malformed(namespace, { key: isolationKey, text, applied })] : [];
  if (isOn === undefined && applied === 'none') return { isolation: 'none', complaints };
  const services = namespace.serviceIsolation === undefined ? true : parseFlag(namespace.serviceIsolation);
  if (services === undefined) {
    complaints.push(malformed(namespace, { key: serviceIsolationKey, text: namespace.serviceIsolation ?? '', applied }));
  }
  const areServicesIsolated = services ?? applied !== 'pods';
  return { isolation: areServicesIsolated ? 'full' : 'pods', complaints };
}

/** Undefined: neither true nor false. Upper and lower case are the same (R21). */
function parseFlag(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

function refusal(namespace: KubeNamespace): Complaint {
  return {
    subject: subjectOf(namespace),
    reason: 'IsolationRefused',
    action: 'IsolateNamespace',
    note:
      `Namespace/${namespace.name} metadata.annotations["${isolationKey}"]: is "${namespace.isolation ?? ''}", but this namespace is ` +
      "never isolated, because the whole cluster needs what is in it; remove the annotation, and put pods that need isolation into another namespace",
  };
}

interface Malformed {
  readonly key: string;
  readonly text: string;
  readonly applied: Isolation | undefined;
}

function malformed(namespace: KubeNamespace, { key, text, applied }: Malformed): Complaint {
  const consequence =
    applied !== undefined ? `until then it stays ${words[applied]}` : 'until then the namespace is isolated, with its services';
  return {
    subject: subjectOf(namespace),
    reason: 'MalformedAnnotation',
    action: 'IsolateNamespace',
    note:
      `Namespace/${namespace.name} metadata.annotations["${key}"]: is "${text}", but expected is "true" or "false"; ` +
      `write one of them; ${consequence}`,
  };
}

const words: Readonly<Record<Isolation, string>> = {
  none: 'not isolated',
  pods: 'isolated, with services that everybody reaches',
  full: 'isolated, with its services',
};

/** The namespace as subject of an event. */
export function subjectOf({ name, uid }: KubeNamespace): Complaint['subject'] {
  return { apiVersion: 'v1', kind: 'Namespace', namespace: '', name, uid };
}
