/** The kinds of numbers that control asks for. */
export const idKinds = ['vrf', 'identity', 'policy', 'label'] as const;

export type IdKind = (typeof idKinds)[number];

/** A number that an entry needs is not allotted yet. */
export class MissingNumber extends Error {
  constructor(kind: IdKind, key: string) {
    super(`no number is allotted for ${kind} ${key} yet`);
    this.name = 'MissingNumber';
  }
}

/** Numbers that config-api allotted. Equal keys have equal numbers for ever, so nothing is ever forgotten. */
export class NumericIds {
  readonly #ids: Readonly<Record<IdKind, Map<string, number>>> = {
    vrf: new Map(),
    identity: new Map(),
    policy: new Map(),
    label: new Map(),
  };

  /** Undefined until it has been allotted. */
  get(kind: IdKind, key: string): number | undefined {
    return this.#ids[kind].get(key);
  }

  /** @throws MissingNumber: the entry stays as it was until the number comes. */
  need(kind: IdKind, key: string): number {
    const id = this.get(kind, key);
    if (id === undefined) throw new MissingNumber(kind, key);
    return id;
  }

  learn(kind: IdKind, key: string, id: number): void {
    this.#ids[kind].set(key, id);
  }

  /** Of senders with an identity (by its text) into a VRF. */
  label(instance: string, identity: string): number | undefined {
    const sender = this.get('identity', identity);
    return sender === undefined ? undefined : this.get('label', labelKey(instance, sender));
  }
}

export function labelKey(instance: string, identity: number): string {
  return `${instance}/${identity}`;
}
