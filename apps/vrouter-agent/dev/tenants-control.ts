/**
 * Control for measured agents (tools/bench): tenants-control.js NETWORKS INTERFACES says to an agent of either node
 * that there are NETWORKS with the same subnet and INTERFACES in each. Prints its address and the pods as one line
 * of JSON, and ends with its standard input.
 */
import { FakeControl } from '../src/testing/fake-control';
import { tenantEntries, tenantPods, tenantService } from '../src/testing/tenant-entries';

async function main(): Promise<void> {
  const [networks = 1, interfaces = 10] = process.argv.slice(2).map(Number);
  const pods = tenantPods(networks, interfaces);
  const control = new FakeControl(tenantEntries(pods));
  const address = await control.start();
  process.stdout.write(`${JSON.stringify({ address, pods, service: tenantService })}\n`);
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await control.stop();
  process.exit(0);
}

void main();
