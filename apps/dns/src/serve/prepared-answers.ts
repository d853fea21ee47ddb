import { encodeRecord } from '../wire/encode-records';
import { responseCodes } from '../wire/query';
import type { ResponseParts } from '../wire/response';
import type { WireName } from '../zone/domain-name';
import type { NameNode } from '../zone/name-index';
import type { Resolution, ResourceRecord } from '../zone/record';

/** An encoded answer, and whether its records may take turns at the first place. */
export interface PreparedAnswer extends ResponseParts {
  readonly isRotatable: boolean;
  /** The name at which the cluster's knowledge ends, when the answer is an alias to somewhere else. */
  readonly outsideAlias: WireName | undefined;
}

interface Prepared {
  version: number;
  readonly byType: Map<number, PreparedAnswer>;
}

/**
 * Encoded answers of existing names. They are made at the first question and dropped when the name changes, so that a
 * question in the steady state costs one look-up and one copy.
 */
export class PreparedAnswers {
  readonly #nodes = new WeakMap<NameNode, Prepared>();
  readonly #soas = new WeakMap<ResourceRecord, Uint8Array>();

  /** The kept answer of a name; undefined when there is none, or it is outdated. */
  find(node: NameNode, type: number): PreparedAnswer | undefined {
    const prepared = this.#nodes.get(node);
    return prepared?.version === node.version ? prepared.byType.get(type) : undefined;
  }

  /**
   * Encodes an answer.
   *
   * @param node keep it for this name. Answers that also depend on others (aliases, and the serial in negative ones) are
   *   not kept.
   */
  prepare(name: WireName, type: number, resolution: Resolution, node: NameNode | undefined): PreparedAnswer {
    const encodeAll = (records: readonly ResourceRecord[]): Uint8Array[] => records.map((r) => this.#encode(r, name));
    const prepared: PreparedAnswer = {
      code: responseCodes[resolution.code],
      isAuthoritative: resolution.code !== 'SERVFAIL',
      answers: encodeAll(resolution.answers),
      authority: encodeAll(resolution.authority),
      additional: encodeAll(resolution.additional),
      isRotatable: resolution.answers.length > 1 && resolution.answers.every(isAddress),
      outsideAlias: resolution.outsideAlias,
    };
    const isItsOwn = resolution.answers.length > 0 && resolution.answers.every((r) => r.name === name && isLasting(r));
    if (node !== undefined && isItsOwn && resolution.code === 'NOERROR') this.#keep(node, type, prepared);
    return prepared;
  }

  #keep(node: NameNode, type: number, answer: PreparedAnswer): void {
    let prepared = this.#nodes.get(node);
    if (prepared === undefined || prepared.version !== node.version) {
      prepared = { version: node.version, byType: new Map() };
      this.#nodes.set(node, prepared);
    }
    prepared.byType.set(type, answer);
  }

  #encode(record: ResourceRecord, questionName: WireName): Uint8Array {
    if (record.data.type !== 'SOA' || record.name === questionName) return encodeRecord(record, questionName);
    const known = this.#soas.get(record);
    if (known !== undefined) return known;
    const encoded = encodeRecord(record, questionName);
    this.#soas.set(record, encoded);
    return encoded;
  }
}

function isAddress({ data }: ResourceRecord): boolean {
  return data.type === 'A' || data.type === 'AAAA';
}

function isLasting({ data }: ResourceRecord): boolean {
  return data.type !== 'CNAME' && data.type !== 'SOA';
}
