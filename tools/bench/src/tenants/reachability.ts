/** Who must answer whom among pods of many networks with the same addresses. Pure. */

/** A pod as apps/vrouter-agent/dev/tenants-control.ts describes it. */
export interface TenantPod {
  readonly n: number;
  readonly network: number;
  readonly node: string;
  readonly address: string;
  readonly alias: string;
}

export interface TenantService {
  readonly address: string;
  readonly port: number;
  readonly targetPort: number;
}

export interface Question {
  readonly client: TenantPod;
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly sourcePort: number;
  /** Answers that are right: "<server> <client as it sees it>". */
  readonly expected: readonly string[];
}

/** Whom pods see that call themselves through their service. */
const hairpinAddress = '10.47.255.254';

export const nameOf = ({ n }: TenantPod): string => `pod${n}`;

/**
 * For each pod: its neighbour, one that is mostly on the other node, and the service; by own and alias addresses. All
 * questions of a kind have the same source port, so in every network there are connections of the same tuple.
 */
export function questionsAmong(pods: readonly TenantPod[], service: TenantService): Question[] {
  const networks = new Map<number, TenantPod[]>();
  for (const pod of pods) networks.set(pod.network, [...(networks.get(pod.network) ?? []), pod]);
  return [...networks.values()].flatMap((members) =>
    members.flatMap((client, index) => {
      const near = members[(index + 1) % members.length] ?? client;
      const far = members[(index + Math.floor(members.length / 2)) % members.length] ?? client;
      const protocols = ['udp', 'tcp'] as const;
      return protocols.flatMap((protocol) => [
        ...[near, far].flatMap((server, kind) => [
          toPod({ client, protocol, port: service.targetPort, sourcePort: 20_000 + kind }, server, 'address'),
          toPod({ client, protocol, port: service.targetPort, sourcePort: 20_010 + kind }, server, 'alias'),
        ]),
        toService({ client, protocol, port: service.port, sourcePort: 20_020 }, service.address, members),
      ]);
    }),
  );
}

type Asked = Pick<Question, 'client' | 'protocol' | 'port' | 'sourcePort'>;

/** By the own address the client is seen by its own, by the alias by its alias. */
function toPod(asked: Asked, server: TenantPod, by: 'address' | 'alias'): Question {
  return { ...asked, address: server[by], expected: [`${nameOf(server)} ${asked.client[by]}:${asked.sourcePort}`] };
}

function toService(asked: Asked, address: string, members: readonly TenantPod[]): Question {
  const expected = members.map((server) =>
    server === asked.client
      ? `${nameOf(server)} ${hairpinAddress}:${asked.sourcePort}`
      : `${nameOf(server)} ${asked.client.alias}:${asked.sourcePort}`,
  );
  return { ...asked, address, expected };
}

/** One line for each wrong answer. @param answers in the order of the questions; "-" when nobody answered. */
export function wrongAnswers(questions: readonly Question[], answers: readonly string[]): string[] {
  return questions.flatMap(({ client, protocol, address, port, expected }, index) => {
    const answer = answers[index] ?? 'nothing';
    if (expected.includes(answer)) return [];
    return [`${nameOf(client)} of network ${client.network} (${client.node}) asked ${address}:${port} by ${protocol}: ${answer}, not ${expected.join(' or ')}`];
  });
}
