/** nftables messages for one chain with one rule. Pure. Numbers from <linux/netfilter/nf_tables.h>. */
import type { Attribute, Message, Reply } from './message';
import { decodeAttributes, encodeAttributes, flags, nested, raw, text } from './message';

/** Both families of IP. */
const inetFamily = 1;
const subsystem = 10;
const batchBegin = 0x10;
const batchEnd = 0x11;
const appendFlag = 0x800;

const types = { newTable: 0, deleteTable: 2, newChain: 3, newRule: 6, getRule: 7 } as const;
const tableName = 1;
const chain = { table: 1, name: 3, hook: 4, type: 7, hookNumber: 1, hookPriority: 2 } as const;
const rule = { table: 1, chain: 2, expressions: 4, userData: 7 } as const;
const expression = { element: 1, name: 1, data: 2 } as const;

/** NFT_META_… */
export const metaKeys = { mark: 3, inputGroup: 21 } as const;
const register = 1;

const bigWord = (type: number, value: number): Attribute => {
  const data = Buffer.alloc(4);
  data.writeInt32BE(value);
  return { type, data };
};

const hostWord = (value: number): Buffer => {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
};

function message(type: number, messageFlags: number, attributes: readonly Attribute[]): Message {
  const header = Buffer.of(inetFamily, 0, 0, 0);
  return {
    type: (subsystem << 8) | type,
    flags: messageFlags,
    body: Buffer.concat([header, encodeAttributes(attributes)]),
  };
}

/** All of the messages or none: the kernel applies a batch at once. */
export function batch(messages: readonly Message[]): Message[] {
  const frame = (type: number): Message => ({
    type,
    flags: 0,
    body: Buffer.of(0, 0, 0, subsystem),
    unanswered: true,
  });
  return [frame(batchBegin), ...messages, frame(batchEnd)];
}

export function newTable(table: string): Message {
  return message(types.newTable, flags.create, [text(tableName, table)]);
}

export function deleteTable(table: string): Message {
  return message(types.deleteTable, 0, [text(tableName, table)]);
}

export interface FilterChain {
  readonly table: string;
  readonly name: string;
  /** NF_INET_…: 0 is prerouting. */
  readonly hook: number;
  readonly priority: number;
}

export function newFilterChain({ table, name, hook, priority }: FilterChain): Message {
  return message(types.newChain, flags.create, [
    text(chain.table, table),
    text(chain.name, name),
    nested(chain.hook, [bigWord(chain.hookNumber, hook), bigWord(chain.hookPriority, priority)]),
    text(chain.type, 'filter'),
  ]);
}

export type Expression = Attribute;

function newExpression(name: string, attributes: readonly Attribute[]): Expression {
  return nested(expression.element, [text(expression.name, name), nested(expression.data, attributes)]);
}

/** Goes on with the rule only when the packet's property is (or is not) the value. */
export function match(key: number, operator: 'is' | 'is not', value: number): Expression[] {
  return [
    newExpression('meta', [bigWord(1, register), bigWord(2, key)]),
    newExpression('cmp', [
      bigWord(1, register),
      bigWord(2, operator === 'is' ? 0 : 1),
      nested(3, [raw(1, hostWord(value))]),
    ]),
  ];
}

export function countAndDrop(): Expression[] {
  const verdictRegister = 0;
  const drop = 0;
  return [
    newExpression('counter', []),
    newExpression('immediate', [bigWord(1, verdictRegister), nested(2, [nested(2, [bigWord(1, drop)])])]),
  ];
}

/** @param note kept with the rule, for whoever reads it back. */
export function newRule(table: string, name: string, expressions: Expression[], note: string): Message {
  return message(types.newRule, flags.create | appendFlag, [
    text(rule.table, table),
    text(rule.chain, name),
    nested(rule.expressions, expressions),
    raw(rule.userData, Buffer.from(note, 'utf8')),
  ]);
}

export function dumpRules(table: string, name: string): Message {
  return message(types.getRule, flags.dump, [text(rule.table, table), text(rule.chain, name)]);
}

export interface ReadRule {
  readonly table: string;
  readonly chain: string;
  readonly note: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** Counts are those of the rule's counter. */
export function decodeRule(reply: Reply): ReadRule {
  const attributes = decodeAttributes(reply.body.subarray(4));
  const words = (type: number): string => (attributes.get(type) ?? Buffer.alloc(0)).toString('utf8').replace(/\0.*$/, '');
  const counter = findCounter(attributes.get(rule.expressions) ?? Buffer.alloc(0));
  return {
    table: words(rule.table),
    chain: words(rule.chain),
    note: words(rule.userData),
    packets: counter?.get(2)?.readBigUInt64BE(0) ?? 0n,
    bytes: counter?.get(1)?.readBigUInt64BE(0) ?? 0n,
  };
}

function findCounter(list: Buffer): Map<number, Buffer> | undefined {
  for (let offset = 0; offset + 4 <= list.length;) {
    const length = list.readUInt16LE(offset);
    if (length < 4) return undefined;
    const element = decodeAttributes(list.subarray(offset + 4, offset + length));
    const name = element.get(expression.name)?.toString('utf8').replace(/\0.*$/, '');
    if (name === 'counter') return decodeAttributes(element.get(expression.data) ?? Buffer.alloc(0));
    offset += (length + 3) & ~3;
  }
  return undefined;
}
