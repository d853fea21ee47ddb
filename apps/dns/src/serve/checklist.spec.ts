import { ask, responderOf } from '../testing/ask';
import { exampleZone } from '../testing/cluster';

const z = 'cluster.local';
const blue = `blue.svc.${z}`;

interface Row {
  readonly rule: string;
  readonly name: string;
  readonly type: string;
  readonly answers?: readonly string[];
  readonly additional?: readonly string[];
  /** Default NOERROR. */
  readonly rcode?: string;
  /** Owner of the SOA in the authority section. */
  readonly soa?: string;
}

/** The specification (1.1.0) and, where it is silent, what CoreDNS' kubernetes plugin answers. */
const rows: readonly Row[] = [
  { rule: 'version', name: `dns-version.${z}`, type: 'TXT', answers: [`dns-version.${z} 28800 TXT 1.1.0`] },
  { rule: 'A of a ClusterIP service', name: `web.${blue}`, type: 'A', answers: [`web.${blue} 5 A 10.96.0.20`] },
  { rule: 'AAAA of an IPv4 service is NODATA', name: `web.${blue}`, type: 'AAAA', soa: z },
  { rule: 'A of a dual-stack service', name: `dual.${blue}`, type: 'A', answers: [`dual.${blue} 5 A 10.96.0.21`] },
  { rule: 'AAAA of a dual-stack service', name: `dual.${blue}`, type: 'AAAA', answers: [`dual.${blue} 5 AAAA fd00:96::21`] },
  { rule: 'a service without endpoints keeps its address', name: `lonely.${blue}`, type: 'A', answers: [`lonely.${blue} 5 A 10.96.0.22`] },
  { rule: 'a service without an address yet does not exist', name: `waiting.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  {
    rule: 'SRV of a named port',
    name: `_http._tcp.web.${blue}`,
    type: 'SRV',
    answers: [`_http._tcp.web.${blue} 5 SRV 0 100 80 web.${blue}`],
    additional: [`web.${blue} 5 A 10.96.0.20`],
  },
  {
    rule: 'SRV of a UDP port',
    name: `_dns._udp.web.${blue}`,
    type: 'SRV',
    answers: [`_dns._udp.web.${blue} 5 SRV 0 100 53 web.${blue}`],
    additional: [`web.${blue} 5 A 10.96.0.20`],
  },
  { rule: 'SRV under the wrong protocol', name: `_http._udp.web.${blue}`, type: 'SRV', rcode: 'NXDOMAIN', soa: z },
  { rule: 'SRV of an unknown port', name: `_ftp._tcp.web.${blue}`, type: 'SRV', rcode: 'NXDOMAIN', soa: z },
  { rule: 'a protocol label exists while a port is below it', name: `_tcp.web.${blue}`, type: 'A', soa: z },
  {
    rule: 'SRV at the name of the service: every port, also without a name',
    name: `web.${blue}`,
    type: 'SRV',
    answers: [80, 53, 9000].map((port) => `web.${blue} 5 SRV 0 33 ${port} web.${blue}`),
    additional: [`web.${blue} 5 A 10.96.0.20`],
  },
  {
    rule: 'SRV of a dual-stack service adds both families',
    name: `_http._tcp.dual.${blue}`,
    type: 'SRV',
    answers: [`_http._tcp.dual.${blue} 5 SRV 0 100 80 dual.${blue}`],
    additional: [`dual.${blue} 5 A 10.96.0.21`, `dual.${blue} 5 AAAA fd00:96::21`],
  },
  { rule: 'PTR of a cluster IP', name: '20.0.96.10.in-addr.arpa', type: 'PTR', answers: [`20.0.96.10.in-addr.arpa 5 PTR web.${blue}`] },
  {
    rule: 'PTR of an IPv6 cluster IP',
    name: `1.2.0.0.${'0.'.repeat(20)}6.9.0.0.0.0.d.f.ip6.arpa`,
    type: 'PTR',
    answers: [`1.2.0.0.${'0.'.repeat(20)}6.9.0.0.0.0.d.f.ip6.arpa 5 PTR dual.${blue}`],
  },
  {
    rule: 'A of a headless service: ready endpoints, each once',
    name: `peers.${blue}`,
    type: 'A',
    answers: [`peers.${blue} 5 A 10.32.0.6`, `peers.${blue} 5 A 10.32.0.5`],
  },
  { rule: 'AAAA of a headless service', name: `peers.${blue}`, type: 'AAAA', answers: [`peers.${blue} 5 AAAA 5678:abcd::1`] },
  { rule: 'headless without ready endpoints does not exist', name: `empty.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'publishNotReadyAddresses', name: `eager.${blue}`, type: 'A', answers: [`eager.${blue} 5 A 10.32.0.9`] },
  { rule: 'headless without ports has no SRV', name: `eager.${blue}`, type: 'SRV', soa: z },
  { rule: 'endpoint with a hostname', name: `first.peers.${blue}`, type: 'A', answers: [`first.peers.${blue} 5 A 10.32.0.5`] },
  { rule: 'endpoint without: its address with dashes', name: `10-32-0-6.peers.${blue}`, type: 'A', answers: [`10-32-0-6.peers.${blue} 5 A 10.32.0.6`] },
  { rule: 'the same for IPv6', name: `5678-abcd--1.peers.${blue}`, type: 'AAAA', answers: [`5678-abcd--1.peers.${blue} 5 AAAA 5678:abcd::1`] },
  {
    rule: 'two endpoints with one hostname',
    name: `pair.twins.${blue}`,
    type: 'A',
    answers: [`pair.twins.${blue} 5 A 10.32.0.6`, `pair.twins.${blue} 5 A 10.32.0.8`],
  },
  { rule: 'an endpoint that is not ready has no name', name: `10-32-0-7.peers.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'endpoints of a ClusterIP service have no names', name: `10-32-0-4.web.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  {
    rule: 'SRV of a headless service: endpoints by ports, with the endpoint port',
    name: `_http._tcp.peers.${blue}`,
    type: 'SRV',
    answers: [
      `_http._tcp.peers.${blue} 5 SRV 0 33 8080 10-32-0-6.peers.${blue}`,
      `_http._tcp.peers.${blue} 5 SRV 0 33 8080 5678-abcd--1.peers.${blue}`,
      `_http._tcp.peers.${blue} 5 SRV 0 33 8080 first.peers.${blue}`,
    ],
    additional: [
      `10-32-0-6.peers.${blue} 5 A 10.32.0.6`,
      `5678-abcd--1.peers.${blue} 5 AAAA 5678:abcd::1`,
      `first.peers.${blue} 5 A 10.32.0.5`,
    ],
  },
  { rule: 'PTR of an endpoint with hostname', name: '5.0.32.10.in-addr.arpa', type: 'PTR', answers: [`5.0.32.10.in-addr.arpa 5 PTR first.peers.${blue}`] },
  {
    rule: 'PTR of an address in two services',
    name: '6.0.32.10.in-addr.arpa',
    type: 'PTR',
    answers: [`6.0.32.10.in-addr.arpa 5 PTR 10-32-0-6.peers.${blue}`, `6.0.32.10.in-addr.arpa 5 PTR pair.twins.${blue}`],
  },
  { rule: 'PTR of an address of no service', name: '200.0.32.10.in-addr.arpa', type: 'PTR', rcode: 'NXDOMAIN', soa: '32.10.in-addr.arpa' },
  { rule: 'A of a reverse name is NODATA', name: '20.0.96.10.in-addr.arpa', type: 'A', soa: '96.10.in-addr.arpa' },
  { rule: 'part of a reverse name is NODATA', name: '0.96.10.in-addr.arpa', type: 'PTR', soa: '96.10.in-addr.arpa' },
  { rule: 'more than a reverse name', name: '1.20.0.96.10.in-addr.arpa', type: 'PTR', rcode: 'NXDOMAIN', soa: '96.10.in-addr.arpa' },
  { rule: 'no number in a reverse name', name: 'x.0.96.10.in-addr.arpa', type: 'PTR', rcode: 'NXDOMAIN', soa: '96.10.in-addr.arpa' },
  { rule: 'ExternalName', name: `outside.${blue}`, type: 'A', answers: [`outside.${blue} 5 CNAME www.example.com`] },
  { rule: 'ExternalName, asked as CNAME', name: `outside.${blue}`, type: 'CNAME', answers: [`outside.${blue} 5 CNAME www.example.com`] },
  {
    rule: 'ExternalName inside of the zone is followed',
    name: `inside.${blue}`,
    type: 'A',
    answers: [`inside.${blue} 5 CNAME web.${blue}`, `web.${blue} 5 A 10.96.0.20`],
  },
  {
    rule: 'also over two aliases',
    name: `chain.${blue}`,
    type: 'A',
    answers: [`chain.${blue} 5 CNAME inside.${blue}`, `inside.${blue} 5 CNAME web.${blue}`, `web.${blue} 5 A 10.96.0.20`],
  },
  { rule: 'an alias to itself fails', name: `loop.${blue}`, type: 'A', rcode: 'SERVFAIL' },
  { rule: 'an alias to nothing', name: `dangling.${blue}`, type: 'A', rcode: 'NXDOMAIN', answers: [`dangling.${blue} 5 CNAME nothing.${blue}`], soa: z },
  { rule: 'labels below an ExternalName', name: `a.outside.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'pod record', name: `10-32-0-4.blue.pod.${z}`, type: 'A', answers: [`10-32-0-4.blue.pod.${z} 5 A 10.32.0.4`] },
  { rule: 'pod record of IPv6', name: `1-2-3--4.blue.pod.${z}`, type: 'AAAA', answers: [`1-2-3--4.blue.pod.${z} 5 AAAA 1:2:3::4`] },
  { rule: 'pod record in the other family', name: `10-32-0-4.blue.pod.${z}`, type: 'AAAA', soa: z },
  { rule: 'pod record that is no address', name: `web-1.blue.pod.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'pod record with too big a number', name: `10-32-0-400.blue.pod.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'pod record of an unknown namespace', name: `10-32-0-4.red.pod.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'namespace below pod', name: `blue.pod.${z}`, type: 'A', soa: z },
  { rule: 'unknown namespace below pod', name: `red.pod.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'the zone, type A', name: z, type: 'A', soa: z },
  { rule: 'svc', name: `svc.${z}`, type: 'A', soa: z },
  { rule: 'pod', name: `pod.${z}`, type: 'SRV', soa: z },
  { rule: 'dns', name: `dns.${z}`, type: 'A', soa: z },
  { rule: 'namespace with services', name: blue, type: 'A', soa: z },
  { rule: 'namespace without services', name: `bare.svc.${z}`, type: 'SRV', soa: z },
  { rule: 'unknown namespace', name: `red.svc.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'service of an unknown namespace', name: `web.red.svc.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'unknown service', name: `nothing.${blue}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  { rule: 'unknown label below the zone', name: `foo.${z}`, type: 'A', rcode: 'NXDOMAIN', soa: z },
  {
    rule: 'SOA of the zone',
    name: z,
    type: 'SOA',
    answers: [`${z} 5 SOA ns.dns.${z} hostmaster.${z} 1700000000 7200 1800 86400 5`],
  },
  { rule: 'NS of the zone with glue', name: z, type: 'NS', answers: [`${z} 5 NS ns.dns.${z}`], additional: [`ns.dns.${z} 5 A 10.96.0.10`] },
  { rule: 'the name server itself', name: `ns.dns.${z}`, type: 'A', answers: [`ns.dns.${z} 5 A 10.96.0.10`] },
  { rule: 'NS of a lower name', name: `web.${blue}`, type: 'NS', soa: z },
  { rule: 'SOA of a lower name', name: `web.${blue}`, type: 'SOA', soa: z },
  { rule: 'SOA of a reverse zone', name: '96.10.in-addr.arpa', type: 'SOA', answers: [`96.10.in-addr.arpa 5 SOA ns.dns.${z} hostmaster.${z} 1700000000 7200 1800 86400 5`] },
  { rule: 'existing name, type TXT', name: `web.${blue}`, type: 'TXT', soa: z },
  { rule: 'existing name, type HINFO', name: `web.${blue}`, type: 'HINFO', soa: z },
  { rule: 'existing name, type MX', name: `peers.${blue}`, type: 'MX', soa: z },
  { rule: 'letters count as equal', name: `WeB.BLUE.svc.Cluster.LOCAL`, type: 'A', answers: [`WeB.BLUE.svc.Cluster.LOCAL 5 A 10.96.0.20`] },
  { rule: 'not our zone, nobody to ask', name: 'www.example.com', type: 'A', rcode: 'REFUSED' },
  { rule: 'the parent of our zone is not ours', name: 'local', type: 'SOA', rcode: 'REFUSED' },
  { rule: 'a name that only ends in our letters', name: 'mycluster.local', type: 'A', rcode: 'REFUSED' },
  { rule: 'reverse names outside of the cluster', name: '1.2.0.192.in-addr.arpa', type: 'PTR', rcode: 'REFUSED' },
  { rule: 'the parent of our reverse zones is not ours', name: '10.in-addr.arpa', type: 'SOA', rcode: 'REFUSED' },
  { rule: 'ANY answers with one of the types (RFC 8482)', name: `lonely.${blue}`, type: 'ANY', answers: [`lonely.${blue} 5 A 10.96.0.22`] },
  { rule: 'AXFR', name: z, type: 'AXFR', rcode: 'REFUSED' },
];

describe('Kubernetes DNS specification 1.1.0', () => {
  const zone = exampleZone();

  it.each(rows.map((row) => ({ ...row, title: `${row.rule}: ${row.name} ${row.type}` })))('$title', async (row) => {
    const reply = await ask(responderOf(zone), row);
    expect({
      rcode: reply.rcode,
      answers: [...reply.answerLines].sort(),
      additional: [...reply.additionalLines].sort(),
      soa: reply.soaOf,
    }).toEqual({
      rcode: row.rcode ?? 'NOERROR',
      answers: [...(row.answers ?? [])].sort(),
      additional: [...(row.additional ?? [])].sort(),
      soa: row.soa === undefined ? [] : [row.soa],
    });
  });

  it('answers the same from prepared answers', async () => {
    const responder = responderOf(zone);
    for (const row of rows) {
      const [first, second] = [await ask(responder, row), await ask(responder, row)];
      expect({ ...row, answers: [...second.answerLines].sort() }).toEqual({ ...row, answers: [...first.answerLines].sort() });
      expect(second.rcode).toBe(first.rcode);
    }
  });
});

describe('pod records', () => {
  it.each([
    { mode: 'disabled' as const, label: '10-32-0-4', rcode: 'NXDOMAIN' },
    { mode: 'insecure' as const, label: '10-32-0-200', rcode: 'NOERROR' },
    { mode: 'verified' as const, label: '10-32-0-4', rcode: 'NOERROR' },
    { mode: 'verified' as const, label: '10-32-0-200', rcode: 'NXDOMAIN' },
    { mode: 'verified' as const, label: '10-32-0-44', rcode: 'NXDOMAIN' },
    { mode: 'verified' as const, label: '1-2-3--4', rcode: 'NOERROR' },
  ])('$mode: $label is $rcode', async ({ mode, label, rcode }) => {
    const type = label.includes('--') ? 'AAAA' : 'A';
    const reply = await ask(responderOf(exampleZone(mode)), { name: `${label}.blue.pod.${z}`, type });
    expect(reply.rcode).toBe(rcode);
  });
});
