import type { Command } from 'commander';
import type { Session } from '../session';
import { dialTargets } from './dial-probe';
import type { DialTarget } from './dial-probe';
import { serveProbe } from './serve-probe';

/** Adds what `selftest` runs in its pods. */
export function addProbeCommands(program: Command, open: () => Session): void {
  const probe = program.command('probe', { hidden: true }).description('one end of the selftest');
  probe
    .command('serve')
    .argument('<name>', 'told to everybody who asks')
    .argument('<tcp>', 'TCP port', Number)
    .argument('<udp>', 'UDP port', Number)
    .action((name: string, tcp: number, udp: number) => serve(open(), name, { tcp, udp }));
  probe
    .command('dial')
    .argument('<targets>', 'JSON')
    .action((targets: string) => dial(open(), targets));
}

/** Until it is told to end. */
async function serve({ signal }: Session, name: string, ports: { tcp: number; udp: number }): Promise<void> {
  const running = await serveProbe(name, ports);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await running.stop();
}

async function dial({ write }: Session, targets: string): Promise<void> {
  write(`${JSON.stringify(await dialTargets(JSON.parse(targets) as DialTarget[]))}\n`);
}
