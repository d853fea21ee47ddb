import { questionsAmong, type TenantPod, wrongAnswers } from './reachability';

const pod = (n: number, network: number, place: number): TenantPod => ({
  n,
  network,
  node: place < 2 ? 'node1' : 'node2',
  address: `198.18.0.${5 + place}`,
  alias: `10.32.0.${n}`,
});
const pods = [0, 1].flatMap((network) => [0, 1, 2, 3].map((place) => pod(1 + network * 4 + place, network, place)));
const questions = questionsAmong(pods, { address: '203.0.113.10', port: 80, targetPort: 7000 });

test('every pod asks its neighbour, the other half and the service, by both protocols', () => {
  expect(questions).toHaveLength(8 * 2 * 5);
  expect(questions.filter(({ client }) => client.n === 6).map(({ address, expected }) => `${address} ${expected[0]}`)).toEqual([
    ...['198.18.0.7 pod7 198.18.0.6:20000', '10.32.0.7 pod7 10.32.0.6:20010', '198.18.0.8 pod8 198.18.0.6:20001', '10.32.0.8 pod8 10.32.0.6:20011'],
    '203.0.113.10 pod5 10.32.0.6:20020',
    ...['198.18.0.7 pod7 198.18.0.6:20000', '10.32.0.7 pod7 10.32.0.6:20010', '198.18.0.8 pod8 198.18.0.6:20001', '10.32.0.8 pod8 10.32.0.6:20011'],
    '203.0.113.10 pod5 10.32.0.6:20020',
  ]);
});

test('the same tuples are asked in every network, and other answers are right in each', () => {
  const ofNetwork = (network: number) => questions.filter(({ client, address }) => client.network === network && address.startsWith('198.18.'));
  const tuplesOf = (network: number): string[] =>
    ofNetwork(network).map(({ client, protocol, address, sourcePort }) => `${protocol} ${client.address}:${sourcePort} ${address}`);
  expect(tuplesOf(0)).toHaveLength(4 * 2 * 2);
  expect(tuplesOf(1)).toEqual(tuplesOf(0));
  const answers = new Set(ofNetwork(0).flatMap(({ expected }) => expected));
  expect(ofNetwork(1).filter(({ expected }) => expected.some((answer) => answers.has(answer)))).toEqual([]);
});

test('answers of another network, of nobody, and missing ones are wrong', () => {
  const right = questions.map(({ expected }) => expected.at(-1) ?? '');
  expect(wrongAnswers(questions, right)).toEqual([]);
  expect(wrongAnswers(questions, ['pod6 198.18.0.5:20000', '-', ...right.slice(2)])).toEqual([
    'pod1 of network 0 (node1) asked 198.18.0.6:7000 by udp: pod6 198.18.0.5:20000, not pod2 198.18.0.5:20000',
    'pod1 of network 0 (node1) asked 10.32.0.2:7000 by udp: -, not pod2 10.32.0.1:20010',
  ]);
  expect(wrongAnswers(questions, right.slice(0, -1))).toHaveLength(1);
});
