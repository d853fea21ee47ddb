import { logger } from '@contrail/telemetry';
import type { Devices } from '../datapath/port';
import type { ForwardingState } from '../ksync/forwarding-state';
import type { Loss } from './node-sync';

const log = logger('node');
const intervalMs = 200;
/** The guard's counter is read every so many looks. */
const guardEvery = 5;

/**
 * Notices what others do to our devices and programs, from the kernel's events and from packets that
 * only the guard stopped, and has it repaired.
 */
export class NodeWatch {
  readonly #devices: Devices;
  readonly #state: ForwardingState;
  #guardedPackets: bigint | undefined;
  readonly #tell: (losses: readonly Loss[]) => void;
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param tell takes what was gone and is made again. */
  constructor(devices: Devices, state: ForwardingState, tell: (losses: readonly Loss[]) => void) {
    this.#devices = devices;
    this.#state = state;
    this.#tell = tell;
  }

  start(): { stop(): Promise<void> } {
    this.#timer = setInterval(() => this.#lookSafely(), intervalMs);
    this.#timer.unref();
    return {
      stop: () => {
        clearInterval(this.#timer);
        return Promise.resolve();
      },
    };
  }

  /** One look; by the timer, and by tests. */
  look(): void {
    const disturbed = this.#devices.takeDisturbed();
    const isOpen = this.#looks % guardEvery === 0 && this.#guardStopped();
    this.#looks += 1;
    const concerned = isOpen ? 'all' : disturbed;
    if (concerned !== 'all' && concerned.size === 0) return;
    const losses = this.#state.recheck(concerned);
    if (losses.length > 0) this.#tell(losses);
  }

  /** True when packets came past a program since the last look; makes a rule that is gone again. */
  #guardStopped(): boolean {
    const drops = this.#devices.guardDrops();
    if (!drops) {
      log.warn('the nftables guard was gone; making it again');
      this.#devices.ensureGuard();
    }
    const before = this.#guardedPackets;
    this.#guardedPackets = drops?.packets ?? 0n;
    const stopped = before !== undefined && this.#guardedPackets > before;
    if (stopped) log.warn('packets came past the programs; the guard dropped them', { packets: this.#guardedPackets - before });
    return stopped;
  }

  #lookSafely(): void {
    try {
      this.look();
    } catch (error) {
      log.error('devices cannot be watched', { error });
    }
  }
}
