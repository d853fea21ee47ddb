/** Few networks of few pods, in `npm test`; `npm run bench -- tenants` makes 200 of 10. */
import path from 'node:path';
import { Programs } from '../programs';
import { questionsAmong, wrongAnswers } from './reachability';
import { TenantsRig } from './tenants-rig';

const describeRig = process.getuid?.() === 0 ? describe : describe.skip;

describeRig('networks with equal subnets on two nodes, made by the CNI plugin', () => {
  const repository = path.join(__dirname, '../../../..');
  const networks = 6;
  const interfaces = 4;
  let rig: TenantsRig;

  beforeAll(async () => {
    rig = await TenantsRig.create(new Programs(repository), { networks, interfaces });
  }, 600_000);

  afterAll(() => rig.close(), 60_000);

  test('every pod is answered by its own network, with every tuple in all of them', async () => {
    const questions = questionsAmong(rig.pods, rig.service);
    expect(questions).toHaveLength(networks * interfaces * 10);
    expect(wrongAnswers(questions, await rig.ask(questions))).toEqual([]);
  }, 60_000);

  test('an address of another network leads nowhere', async () => {
    const [client] = rig.pods;
    const foreign = rig.pods.filter(({ network }) => network !== client?.network).slice(0, 3);
    if (client === undefined) throw new Error('no pod was made');
    const questions = foreign.map(({ alias }, index) => {
      const question = { client, protocol: 'udp' as const, address: alias, port: rig.service.targetPort, sourcePort: 21_000 + index };
      return { ...question, expected: ['-'] };
    });
    expect(questions).toHaveLength(3);
    expect(wrongAnswers(questions, await rig.ask(questions))).toEqual([]);
  }, 60_000);
});
