import { formatAddress, prefixContains, type Address, type Prefix } from '@contrail/net';
import { formatName, joinName, labelsBelow, type WireName } from './domain-name';
import type { PodRecord, ServiceRecord, SliceRecord } from './kube-records';
import { NameIndex, type NameNode } from './name-index';
import { parsePodLabel, PodAddresses, type PodRecordMode } from './pod-names';
import { addressData, recordTypeOf, questionTypes, type RecordData, type Resolution, type ResourceRecord } from './record';
import { parseReverseName, reverseZone } from './reverse-name';
import { serviceNames } from './service-names';

export interface ZoneSettings {
  /** `cluster.local`. */
  readonly zone: WireName;
  /** Addresses whose reverse names nobody else answers: those of pods and services. */
  readonly reversePrefixes: readonly Prefix[];
  /** Seconds, of positive and of negative answers; 0 to 3600. */
  readonly ttl: number;
  /** Addresses under which clients reach us: `ns.dns.<zone>`. */
  readonly serverAddresses: readonly Address[];
  readonly podRecords: PodRecordMode;
}

/** The specification's version record may be kept for a long time. */
const versionTtl = 28_800;
const specificationVersion = '1.1.0';
/** There are as many reverse zones as labels in the prefixes; all questions together must not fill the memory. */
const soasMax = 1024;

/**
 * The names of a cluster as "Kubernetes DNS-Based Service Discovery" 1.1.0 has them, together with what CoreDNS' kubernetes
 * plugin adds (pod names, SOA, NS). State in memory; no clock, no sockets.
 */
export class ClusterZone {
  readonly #index: NameIndex;
  readonly #pods = new PodAddresses();
  readonly #primary: WireName;
  readonly #mailbox: WireName;
  /** Made once for each serial, so that their encoded form can be kept. */
  readonly #soas = new Map<WireName, ResourceRecord>();
  #serial = 1;

  constructor(readonly settings: ZoneSettings) {
    const { zone } = settings;
    this.#index = new NameIndex(zone);
    this.#primary = joinName(['ns', 'dns'], zone);
    this.#mailbox = joinName(['hostmaster'], zone);
    this.#index.set(
      'zone',
      new Map<WireName, readonly RecordData[]>([
        [zone, [{ type: 'NS', target: this.#primary }]],
        [joinName(['svc'], zone), []],
        [joinName(['pod'], zone), []],
        [joinName(['dns-version'], zone), [{ type: 'TXT', text: specificationVersion, ttl: versionTtl }]],
        [this.#primary, settings.serverAddresses.map(addressData)],
      ]),
    );
  }

  /** How many names exist. */
  get nameCount(): number {
    return this.#index.size;
  }

  /** @param serial of the SOA record from now on; grows with each change. */
  setSerial(serial: number): void {
    this.#serial = serial >>> 0;
    this.#soas.clear();
  }

  setNamespace(namespace: string): void {
    const { zone } = this.settings;
    const names = ['svc', 'pod'].map((kind): [WireName, readonly RecordData[]] => [joinName([namespace, kind], zone), []]);
    this.#index.set(`Namespace/${namespace}`, new Map(names));
  }

  removeNamespace(namespace: string): void {
    this.#index.remove(`Namespace/${namespace}`);
  }

  /** Replaces all names of one Service. @param slices all its EndpointSlices. */
  setService(service: ServiceRecord, slices: readonly SliceRecord[], onProblem?: (problem: string) => void): void {
    const owner = `Service/${service.namespace}/${service.name}`;
    this.#index.set(owner, serviceNames(service, slices, this.settings.zone, onProblem));
  }

  removeService(namespace: string, name: string): void {
    this.#index.remove(`Service/${namespace}/${name}`);
  }

  setPod(key: string, pod: PodRecord): void {
    this.#pods.set(key, pod);
  }

  removePod(key: string): void {
    this.#pods.remove(key);
  }

  /** The node of an existing name: the first question of every query, one look-up. */
  find(name: WireName): NameNode | undefined {
    return this.#index.find(name);
  }

  /**
   * Answers from this cluster's names. An alias is followed as long as its targets are in the zone.
   *
   * @param type number of the type.
   * @returns undefined when the name belongs to neither the zone nor a reverse prefix: somebody else knows it.
   */
  resolve(name: WireName, type: number): Resolution | undefined {
    const node = this.#index.find(name);
    if (node !== undefined) return this.#fromNode(name, node, type);
    const below = labelsBelow(name, this.settings.zone);
    return below === undefined ? this.#resolveReverse(name, type) : this.#resolveMissing(name, below, type);
  }

  #fromNode(name: WireName, node: NameNode, type: number): Resolution {
    const reasons: Reasons = () => [...node.owners].map((owner) => `${formatName(name)} is made by ${owner}`);
    const [alias] = node.records('CNAME');
    if (alias?.type === 'CNAME' && recordTypeOf(type) !== 'CNAME') {
      return this.#followAlias(name, alias.target, type, reasons);
    }
    const wanted = type === questionTypes.ANY ? (node.types[0] ?? 'A') : recordTypeOf(type);
    if (wanted === 'SOA' && name === this.settings.zone) return positive([this.#soa(name)], [], reasons);
    const answers = wanted === undefined ? [] : node.records(wanted).map((data) => this.#record(name, data));
    if (answers.length > 0) return positive(answers, this.#addressesOfTargets(answers), reasons);
    return this.#negative('NOERROR', this.#zoneOf(name), () => [
      ...reasons(),
      `${formatName(name)} exists and has no record of this type`,
    ]);
  }

  /** Addresses of the hosts that SRV and NS records name. */
  #addressesOfTargets(answers: readonly ResourceRecord[]): ResourceRecord[] {
    const targets = new Set<WireName>();
    for (const { data } of answers) if (data.type === 'SRV' || data.type === 'NS') targets.add(data.target);
    return [...targets].flatMap((target) => {
      const node = this.#index.find(target);
      if (node === undefined) return [];
      return [...node.records('A'), ...node.records('AAAA')].map((data) => this.#record(target, data));
    });
  }

  #followAlias(name: WireName, target: WireName, type: number, reasons: Reasons): Resolution {
    const answers: ResourceRecord[] = [this.#record(name, { type: 'CNAME', target })];
    const visited = new Set([name]);
    let at = target;
    for (;;) {
      if (visited.has(at)) return aliasLoop(name, reasons);
      visited.add(at);
      const alias = this.#index.find(at)?.records('CNAME')[0];
      if (alias?.type !== 'CNAME') break;
      answers.push(this.#record(at, alias));
      at = alias.target;
    }
    if (type === questionTypes.ANY) return positive(answers, [], reasons);
    const last = this.resolve(at, type);
    if (last !== undefined) {
      return { ...last, answers: [...answers, ...last.answers], reasons: () => [...reasons(), ...last.reasons()] };
    }
    const outside = (): string[] => [...reasons(), `${formatName(at)} is outside of the cluster`];
    return { ...positive(answers, [], outside), outsideAlias: at };
  }

  /** A name of the zone that is not in the index: a pod's name, or none. */
  #resolveMissing(name: WireName, below: readonly string[], type: number): Resolution {
    const { zone, podRecords } = this.settings;
    const [label = '', namespace = '', kind] = below;
    if (kind !== 'pod' || below.length !== 3 || podRecords === 'disabled') {
      return this.#negative('NXDOMAIN', zone, () => [`${formatName(name)} does not exist`]);
    }
    if (this.#index.find(joinName([namespace, 'pod'], zone)) === undefined) {
      return this.#negative('NXDOMAIN', zone, () => [`Namespace/${namespace} does not exist`]);
    }
    const address = parsePodLabel(label);
    if (address === undefined) return this.#negative('NXDOMAIN', zone, () => [`"${label}" is no address with dashes`]);
    if (podRecords === 'verified' && !this.#pods.has(namespace, address)) {
      const reason = `no pod of Namespace/${namespace} has the address ${formatAddress(address)}`;
      return this.#negative('NXDOMAIN', zone, () => [reason]);
    }
    const data = addressData(address);
    const reasons: Reasons = () => [`pod records are "${podRecords}": the name holds the address ${formatAddress(address)}`];
    const isWanted = recordTypeOf(type) === data.type || type === questionTypes.ANY;
    return isWanted ? positive([this.#record(name, data)], [], reasons) : this.#negative('NOERROR', zone, reasons);
  }

  #resolveReverse(name: WireName, type: number): Resolution | undefined {
    const question = parseReverseName(name);
    if (question === undefined) return undefined;
    const { address, length, isImpossible } = question;
    const apex = this.#reverseZoneOf(address);
    if (apex === undefined || name.length < apex.length) return undefined;
    const reasons: Reasons = () => [`${formatName(apex)} is a reverse zone of this cluster`];
    if (name === apex && recordTypeOf(type) === 'SOA') return positive([this.#soa(apex)], [], reasons);
    if (name === apex && recordTypeOf(type) === 'NS') {
      const answers = [this.#record(apex, { type: 'NS', target: this.#primary })];
      return positive(answers, this.#addressesOfTargets(answers), reasons);
    }
    const isPartial = !isImpossible && length < address.length * 8;
    if (isPartial) return this.#negative('NOERROR', apex, () => [`${formatName(name)} is not the name of one address`]);
    return this.#negative('NXDOMAIN', apex, () => [`no Service has the address ${formatAddress(address)}`]);
  }

  #reverseZoneOf(address: Address): WireName | undefined {
    const prefix = this.settings.reversePrefixes.find((candidate) => prefixContains(candidate, address));
    return prefix === undefined ? undefined : reverseZone(prefix, address);
  }

  /** The zone whose SOA a negative answer for an existing name carries. */
  #zoneOf(name: WireName): WireName {
    if (labelsBelow(name, this.settings.zone) !== undefined) return this.settings.zone;
    const question = parseReverseName(name);
    return (question && this.#reverseZoneOf(question.address)) ?? name;
  }

  #record(name: WireName, data: RecordData): ResourceRecord {
    return { name, ttl: data.type === 'TXT' ? data.ttl : this.settings.ttl, data };
  }

  #soa(zone: WireName): ResourceRecord {
    const known = this.#soas.get(zone);
    if (known !== undefined) return known;
    const { ttl } = this.settings;
    const timers = { serial: this.#serial, refresh: 7200, retry: 1800, expire: 86_400, minimum: ttl };
    const data: RecordData = { type: 'SOA', primary: this.#primary, mailbox: this.#mailbox, ...timers };
    const record = { name: zone, ttl, data };
    if (this.#soas.size < soasMax) this.#soas.set(zone, record);
    return record;
  }

  #negative(code: 'NOERROR' | 'NXDOMAIN', zone: WireName, reasons: Reasons): Resolution {
    return { code, answers: [], authority: [this.#soa(zone)], additional: [], reasons };
  }
}

type Reasons = () => readonly string[];

function positive(
  answers: readonly ResourceRecord[],
  additional: readonly ResourceRecord[],
  reasons: Reasons,
): Resolution {
  return { code: 'NOERROR', answers, authority: [], additional, reasons };
}

function aliasLoop(name: WireName, reasons: Reasons): Resolution {
  const loop = `${formatName(name)} leads back to itself; change spec.externalName`;
  return { code: 'SERVFAIL', answers: [], authority: [], additional: [], reasons: () => [...reasons(), loop] };
}
