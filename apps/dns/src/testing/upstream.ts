import { decode, encode, type Packet } from 'dns-packet';
import { parseQuery, type Query } from '../wire/query';
import { parseUpstream, type UpstreamMessage } from '../wire/upstream-message';
import { questionBytes, type Question } from './ask';

/** A question as the server reads it. */
export function queryOf(question: Question): Query {
  const query = parseQuery(questionBytes(question));
  if (query === undefined || 'broken' in query) throw new Error('the question cannot be read');
  return query;
}

/** What another server answers to a question in bytes. */
export function upstreamBytes(question: Buffer, answer: Partial<Packet>): Buffer {
  const { id, questions } = decode(question);
  return encode({ type: 'response', ...(id === undefined ? {} : { id }), ...(questions === undefined ? {} : { questions }), flags: 0x180, ...answer });
}

/** The same, as the forwarder keeps it. */
export function upstreamMessage(question: Question, answer: Partial<Packet>): UpstreamMessage {
  const bytes = questionBytes(question);
  const message = parseUpstream(upstreamBytes(bytes, answer), queryOf(question));
  if (message === undefined) throw new Error('the answer does not fit the question');
  return message;
}
