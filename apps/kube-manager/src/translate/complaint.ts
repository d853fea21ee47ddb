/** Something wrong with a Kubernetes object, for a Warning event on it. */
export interface Complaint {
  readonly subject: ComplaintSubject;
  /** CamelCase, documented in the README. */
  readonly reason: string;
  /** What could not be done: `CreateVirtualRouter`. */
  readonly action: string;
  /** Field, value, cause and remedy. */
  readonly note: string;
}

export interface ComplaintSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}
