import fc from 'fast-check';
import { parseAddress } from '@contrail/net';
import { networkStatusText, statusAddresses } from './network-status';

const network = { uuid: 'n', fqName: ['default-domain', 'k8s-blue', 'tenant'] };
const at = (text: string): { address: Uint8Array; subnetUuid: string } => ({ address: parseAddress(text), subnetUuid: '' });

it('says what the pod has, its own address first', () => {
  const text = networkStatusText({ network, addresses: [at('192.168.0.252'), at('2001:db8::2')], aliases: [at('10.47.255.9')] });
  expect(JSON.parse(text)).toEqual([
    { name: 'default-domain:k8s-blue:tenant', interface: 'eth0', ips: ['192.168.0.252', '2001:db8::2', '10.47.255.9'], default: true, dns: {} },
  ]);
  expect(statusAddresses(text, network)).toEqual(['192.168.0.252', '2001:db8::2', '10.47.255.9']);
  expect(statusAddresses(text, { ...network, fqName: ['default-domain', 'k8s-blue', 'other'] })).toEqual([]);
});

it('is read whatever somebody wrote there', () => {
  expect(statusAddresses(undefined, network)).toEqual([]);
  expect(statusAddresses('[{"name":"default-domain:k8s-blue:tenant","default":true,"ips":[7,"192.0.2.1"]},null,3]', network)).toEqual(['192.0.2.1']);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => expect(Array.isArray(statusAddresses(text, network))).toBe(true)));
});
