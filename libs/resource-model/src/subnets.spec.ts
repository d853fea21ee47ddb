import { formatAddress, parsePrefix } from '@contrail/net';
import { IpamSubnetType } from '@contrail/proto-gen/config/v1/resources';
import { completeSubnet, defaultServiceAddresses } from './subnets';

it.each([
  ['10.32.0.0/12', false, '10.47.255.254', '10.47.255.253'],
  ['192.0.2.0/24', true, '192.0.2.1', '192.0.2.2'],
  ['192.0.2.0/30', false, '192.0.2.2', '192.0.2.1'],
  ['192.0.2.0/31', false, undefined, undefined],
  ['192.0.2.1/32', false, undefined, undefined],
  ['2001:db8::/64', false, '2001:db8::ffff:ffff:ffff:fffe', '2001:db8::ffff:ffff:ffff:fffd'],
  ['2001:db8::/127', false, undefined, undefined],
])('gateway and DNS address of %s, from the start: %s', (prefix, fromStart, gateway, dns) => {
  const addresses = defaultServiceAddresses(parsePrefix(prefix), fromStart);
  expect(
    [addresses.gateway, addresses.dns].map((address) => address && formatAddress(address)),
  ).toEqual([gateway, dns]);
});

const owner = { uuid: '11111111-1111-4111-8111-111111111111', stored: [] };

it('fills what the client left empty, always alike', () => {
  const given = IpamSubnetType.fromPartial({
    subnet: { ipPrefix: '10.0.0.0', ipPrefixLen: 24 },
    defaultGateway: '10.0.0.1',
  });
  const complete = completeSubnet(given, owner);
  expect(complete).toMatchObject({ defaultGateway: '10.0.0.1', dnsServerAddress: '10.0.0.253' });
  expect(complete.subnetUuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(completeSubnet(given, owner)).toEqual(complete);
  expect(completeSubnet(complete, owner)).toEqual(complete);
});

it('keeps the identity of a subnet while its prefix stays', () => {
  const subnet = { ipPrefix: '10.0.0.0', ipPrefixLen: 24 };
  const stored = IpamSubnetType.fromPartial({ subnet, subnetUuid: '22222222-2222-4222-8222-222222222222' });
  const written = IpamSubnetType.fromPartial({ subnet: { ...subnet, ipPrefix: '10.0.0.7' } });
  const kept = completeSubnet(written, { ...owner, stored: [stored] });
  expect(kept.subnetUuid).toBe(stored.subnetUuid);
  const other = IpamSubnetType.fromPartial({ subnet: { ...subnet, ipPrefixLen: 23 } });
  expect(completeSubnet(other, { ...owner, stored: [stored] }).subnetUuid).not.toBe(stored.subnetUuid);
});
