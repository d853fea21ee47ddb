/** Seen from the interface that the policy protects: `ingress` comes to it. */
export type Direction = 'ingress' | 'egress';

export type Verdict = 'pass' | 'deny';

/** Stands for every peer identity, or every IP protocol. */
export const any = 0;

/** TCP, UDP and SCTP. */
export const protocolsWithPorts: readonly number[] = [6, 17, 132];

export interface PortRange {
  /** 0 to 65535. */
  readonly first: number;
  /** Not below `first`, at most 65535. */
  readonly last: number;
}

/** One rule of a policy, after names, selectors and addresses became identities. */
export interface PolicyRule {
  /** For people, in drop events and explanations. */
  readonly name: string;
  readonly direction: Direction;
  /** Identities of the other side; `[any]` for everybody, empty for nobody. */
  readonly peers: readonly number[];
  /** IP protocol number, or `any`. */
  readonly protocol: number;
  /** Ports on the receiving side; undefined means all. With protocol `any` they are those of TCP, UDP and SCTP. */
  readonly ports: readonly PortRange[] | undefined;
  readonly verdict: Verdict;
}

/** Ordered rules: the first that matches decides. */
export interface Policy {
  /** Names the policy for ever: its type and uuid, or a fixed word. */
  readonly key: string;
  readonly rules: readonly PolicyRule[];
}

/** What applies to an interface: policies in the order of their precedence, then the defaults. */
export interface PolicySet {
  readonly policies: readonly Policy[];
  readonly defaultVerdict: Readonly<Record<Direction, Verdict>>;
}

/** The stage of interfaces that no policy selects. */
export const allowAll: PolicySet = {
  policies: [],
  defaultVerdict: { ingress: 'pass', egress: 'pass' },
};
