import type { Clock } from '@contrail/reconcile';
import type { Complaint, ComplaintSubject } from '../translate/complaint';
import { apiVersionOf, parseRootKey, rootKey } from '../translate/ownership';
import type { Root } from '../translate/ownership';
import type { KubeView } from './workplace';

/** Most waits end by themselves within seconds; one that outlasts its next look is worth an event. */
export const patienceMs = 9_000;

/**
 * Root objects that wait or fail, and since when. Whoever owns one that stays so is told by an event on it,
 * once the reason is not told already.
 */
export class StuckObjects {
  private readonly sinceMs = new Map<string, number>();
  private readonly told = new Set<string>();

  constructor(
    private readonly kube: KubeView,
    private readonly complain: (complaint: Complaint) => void,
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

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
    const subject = explained ? undefined : subjectOf(this.kube, root);
    if (subject !== undefined) this.complain(toComplaint(subject, sentence));
    return true;
  }
}

function toComplaint(subject: ComplaintSubject, sentence: string): Complaint {
  const { kind, namespace, name } = subject;
  const object = namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
  return {
    subject,
    reason: 'NetworkNotReady',
    action: 'Reconcile',
    note:
      `${object}: has no network objects yet, ${sentence}. It is tried again by itself; ` +
      'if this stays, look at the log and /readyz of kube-manager, and at the events of the namespace',
  };
}

/** Undefined for the cluster itself, and for what Kubernetes does not have any more. */
function subjectOf(kube: KubeView, root: Root): ComplaintSubject | undefined {
  const { kind, namespace, name } = root;
  const uid = findUid(kube, root);
  return uid === undefined ? undefined : { apiVersion: apiVersionOf(kind), kind, namespace, name, uid };
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
