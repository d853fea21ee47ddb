import type { Datapath } from '../datapath/port';
import type { ForwardingState } from '../ksync/forwarding-state';
import type { AttachmentStore } from './attachment-store';

/** Tells the user of a pod that something was not done. */
export interface PodEvents {
  bandwidthIgnored(pod: { uid: string; namespace: string; name: string }): void;
}

/** What CNI operations work on. */
export interface CniContext {
  readonly state: ForwardingState;
  readonly datapath: Datapath;
  readonly attachments: AttachmentStore;
  readonly events: PodEvents;
  /** Attachments (by `nameText`) whose ADD is running: theirs is not complete yet. */
  readonly adding: Set<string>;
  /** Devices whose deletion has begun; a new one of the same name must wait. Bounded. */
  readonly leaving: Set<string>;
  /** Why control cannot be heard now; undefined while connected. */
  controlProblem(): string | undefined;
  /** How long ADD waits for control before it asks to try again. */
  readonly addDeadlineMs: number;
}
