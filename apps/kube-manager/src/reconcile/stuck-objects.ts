import type { Clock } from '@contrail/reconcile';
import type { Complaint, ComplaintSubject } from '../translate/complaint';
import { apiVersionOf, parseRootKey, rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import type { KubeView } from './workplace';

/** Most waits end by themselves within seconds; one that outlasts its next look is worth an event. */
export const patienceMs = 9_000;

export interface StuckOutlets {
  readonly complain: (complaint: Complaint) => void;
  /** uid of a root object that Kubernetes had, by what is stored of it. */
  readonly uidOfGone: (key: string) => string | undefined;
}

/**
 * Root objects that wait or fail, and since when. Whoever owns one that stays so is told by an event on it,
 * once the reason is not told already.
 */
export class StuckObjects {
  private readonly sinceMs = new Map<string, number>();
  private readonly told = new Set<string>();

  private readonly complain: (complaint: Complaint) => void;

  constructor(
    private readonly kube: KubeView,
    private readonly outlets: StuckOutlets,
    private readonly clock: Pick<Clock, 'now'>,
  ) {
    this.complain = outlets.complain;
  }

  /** Passes a complaint on; its subject needs no other one in this pass. */
  tell(complaint: Complaint): void {
    const { kind, namespace, name } = complaint.subject;
    const root = parseRootKey(`${kind}/${namespace}/${name}`);
    if (root !== undefined) this.told.add(rootKey(root));
    this.complain(complaint);
  }

  /** After a pass that reached its end. */
  settled(root: Root): void {
    this.sinceMs.delete(rootKey(root));
    this.told.delete(rootKey(root));
  }

  /**
   * After a pass that did not.
   *
   * @param sentence what the object waits for, or what went wrong.
   * @returns true when the object is stuck.
   */
  unsettled(root: Root, sentence: string): boolean {
    const key = rootKey(root);
    const nowMs = this.clock.now();
    const sinceMs = this.sinceMs.get(key) ?? nowMs;
    this.sinceMs.set(key, sinceMs);
    const explained = this.told.delete(key);
    if (nowMs - sinceMs < patienceMs) return false;
    if (!explained) this.explain(root, sentence);
    return true;
  }

  private explain({ kind, namespace, name }: Root, sentence: string): void {
    const subject = { apiVersion: apiVersionOf(kind), kind, namespace, name };
    const uid = findUid(this.kube, { kind, namespace, name });
    const goneUid = uid ?? this.outlets.uidOfGone(rootKey({ kind, namespace, name }));
    if (uid !== undefined) this.complain(toComplaint({ ...subject, uid }, sentence));
    else if (goneUid !== undefined) this.complain(toRemainder({ ...subject, uid: goneUid }, sentence));
  }
}

/** Of an object that is gone; the objects that derive from it cannot go. */
function toRemainder(subject: ComplaintSubject, sentence: string): Complaint {
  return {
    subject,
    reason: 'NetworkRemains',
    action: 'RemoveNetwork',
    note: `${describeSubject(subject)}: is deleted, but its network objects are not, ${sentence}. They go by themselves then`,
  };
}

function describeSubject({ kind, namespace, name }: ComplaintSubject): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function toComplaint(subject: ComplaintSubject, sentence: string): Complaint {
  const object = describeSubject(subject);
  return {
    subject,
    reason: 'NetworkNotReady',
    action: 'Reconcile',
    note:
      `${object}: has no network objects yet, ${sentence}. It is tried again by itself; ` +
      'if this stays, look at the log and /readyz of kube-manager, and at the events of the namespace',
  };
}

function findUid(kube: KubeView, { kind, namespace, name }: Root): string | undefined {
  switch (kind) {
    case 'Cluster':
      return undefined;
    case 'Namespace':
      return kube.namespace(name)?.uid;
    case 'Node':
      return kube.node(name)?.uid;
    case 'Pod':
      return kube.pod(namespace, name)?.uid;
    case 'Service':
      return kube.service(namespace, name)?.uid;
    case 'NetworkAttachmentDefinition':
      return kube.attachment(namespace, name)?.uid;
  }
}
