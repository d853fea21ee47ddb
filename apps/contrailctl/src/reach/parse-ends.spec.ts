import { parseAddress } from '@contrail/net';
import { parseEnd, parsePort } from './parse-ends';

const named = (namespace: string, name: string): unknown => ({ namespace, name });

it.each([
  ['default/web', { $case: 'pod', value: named('default', 'web') }],
  ['pod/default/web', { $case: 'pod', value: named('default', 'web') }],
  ['svc/default/web', { $case: 'service', value: named('default', 'web') }],
  ['service/default/web', { $case: 'service', value: named('default', 'web') }],
  ['node/node1', { $case: 'node', value: 'node1' }],
  ['10.32.0.7', { $case: 'address', value: Buffer.from(parseAddress('10.32.0.7')) }],
  ['2001:db8::7', { $case: 'address', value: Buffer.from(parseAddress('2001:db8::7')) }],
])('%s is an end', (text, kind) => {
  expect(parseEnd(text)).toEqual({ kind });
});

it.each([
  ['web', /"web": is no end of a connection; write NAMESPACE\/POD/],
  ['svc/web', /"svc\/web": has no namespace; write svc\/NAMESPACE\/web/],
  ['pod/web', /write pod\/NAMESPACE\/web/],
  ['deployment/default/web', /"deployment" is no kind of end/],
  ['default/', /is no end/],
])('%s is none', (text, message) => {
  expect(() => parseEnd(text)).toThrow(message);
});

it.each([
  [undefined, { protocol: 0, port: 0 }],
  ['80', { protocol: 0, port: 80 }],
  ['53/udp', { protocol: 17, port: 53 }],
  ['UDP/53', { protocol: 17, port: 53 }],
  ['icmp', { protocol: 1, port: 0 }],
])('port %s', (text, want) => {
  expect(parsePort(text)).toEqual(want);
});

it.each(['http', '0', '65536', '80/81', 'tcp/udp', '80/tcp/6'])('%s is no port', (text) => {
  expect(() => parsePort(text)).toThrow(/is no port; write 1 to 65535/);
});
