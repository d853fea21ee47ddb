import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import {
  addressFromBigInt,
  addressToBigInt,
  formatAddress,
  formatPrefix,
  formatUuid,
  isUsableUnicast,
  lastAddress,
  macFromUuid,
  formatMac,
  parseAddress,
  parseMac,
  parsePrefix,
  parseUuid,
  prefixContains,
  prefixesOverlap,
  tryParseAddress,
  uuidV5,
} from './index';

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

describe('addresses', () => {
  it('read back what they write', () => {
    fc.assert(fc.property(fc.oneof(v4, v6), (a) => {
      expect([...parseAddress(formatAddress(a))]).toEqual([...a]);
    }));
  });

  it('agree with ipaddr.js', () => {
    fc.assert(fc.property(fc.ipV4(), (text) => {
      expect([...parseAddress(text)]).toEqual(ipaddr.parse(text).toByteArray());
    }));
    // ipaddr.js reads the deprecated "::192.0.2.1" as if it were "::ffff:192.0.2.1".
    fc.assert(fc.property(fc.ipV6().filter((text) => !/^::\d+\.\d+\./.test(text)), (text) => {
      expect([...parseAddress(text)]).toEqual(ipaddr.parse(text).toByteArray());
      expect(formatAddress(parseAddress(text))).toBe((ipaddr.parse(text) as ipaddr.IPv6).toRFC5952String());
    }));
  });

  it('format IPv6 as URLs do', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => {
      expect(`[${formatAddress(parseAddress(text))}]`).toBe(new URL(`http://[${text}]/`).hostname);
    }));
    expect([...parseAddress('::192.0.2.1').subarray(12)]).toEqual([192, 0, 2, 1]);
  });

  it.each(['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1.2.3.4/8', '::1::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', 'g::', ':1', '::ffff:1.2.3.256', '1.2.3.4:80'])(
    'refuse %p',
    (text) => {
      expect(tryParseAddress(text)).toBeUndefined();
    },
  );

  it.each([
    ['10.0.0.1', true], ['0.0.0.0', false], ['127.0.0.1', false], ['224.0.0.1', false], ['255.255.255.255', false],
    ['169.254.1.1', false], ['::1', false], ['fe80::1', false], ['ff02::1', false], ['2001:db8::1', true],
  ])('%s usable as unicast: %p', (text, usable) => {
    expect(isUsableUnicast(parseAddress(text))).toBe(usable);
  });

  it('convert to numbers and back', () => {
    fc.assert(fc.property(fc.oneof(v4, v6), (a) => {
      expect([...addressFromBigInt(addressToBigInt(a), a.length)]).toEqual([...a]);
    }));
    expect(() => addressFromBigInt(1n << 32n, 4)).toThrow(/does not fit/);
  });
});

describe('prefixes', () => {
  it('clear host bits', () => {
    expect(formatPrefix(parsePrefix('10.47.255.254/12'))).toBe('10.32.0.0/12');
    expect(formatPrefix(parsePrefix('2001:db8::1/64'))).toBe('2001:db8::/64');
    expect(formatAddress(lastAddress(parsePrefix('10.32.0.0/12')))).toBe('10.47.255.255');
    expect(formatAddress(lastAddress(parsePrefix('0.0.0.0/0')))).toBe('255.255.255.255');
  });

  it.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '::/129', '10.0.0.0/'])('refuse %p', (text) => {
    expect(() => parsePrefix(text)).toThrow();
  });

  it('know what they contain', () => {
    expect(prefixContains(parsePrefix('10.32.0.0/12'), parseAddress('10.47.255.255'))).toBe(true);
    expect(prefixContains(parsePrefix('10.32.0.0/12'), parseAddress('10.48.0.0'))).toBe(false);
    expect(prefixContains(parsePrefix('::/0'), parseAddress('10.48.0.0'))).toBe(false);
    expect(prefixesOverlap(parsePrefix('10.0.0.0/8'), parsePrefix('10.32.0.0/12'))).toBe(true);
    expect(prefixesOverlap(parsePrefix('10.96.0.0/12'), parsePrefix('10.32.0.0/12'))).toBe(false);
  });
});

describe('uuids and MACs', () => {
  it('derive version 5 as RFC 4122 does', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });

  it('read back what they write', () => {
    const text = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
    expect(formatUuid(parseUuid(text))).toBe(text);
    expect(formatMac(macFromUuid(text))).toBe('02:2e:d6:65:7d:e9');
    expect(formatMac(parseMac('02:2E:d6:65:7d:e9'))).toBe('02:2e:d6:65:7d:e9');
    expect(() => parseMac('2:2e:d6:65:7d:e9')).toThrow(/not a MAC/);
    expect(() => parseUuid('nonsense')).toThrow(/not a UUID/);
  });
});
