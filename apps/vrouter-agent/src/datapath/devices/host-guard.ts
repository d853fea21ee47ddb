/**
 * The rule behind the programs: a packet that reaches the node's stack from a device of ours without
 * the mark of a program is dropped, so a detached program never means "open". One table of our own,
 * which stays when the agent ends; nobody else's rules are touched.
 */
import { ContrailError, errorText } from '@contrail/errors';
import { linuxErrno, NetlinkError, netlinkFamilies, NetlinkSocket } from '../netlink/netlink-socket';
import * as nft from '../netlink/nftables';

/** Device group of pods' host ends and of the tunnel: new devices fall under the rule by birth. */
export const guardedGroup = 0x0ce0;

/** MARK_TO_HOST of bpf/flow.h. */
export const hostMark = 0x0ce00000;

export const guardTable = 'contrail';
const guardChain = 'guard';
/** Changes with the rule: another note makes the table anew. */
const note = 'contrail guard 1';
const prerouting = 0;
/** Before connection tracking and whoever else sets marks. */
const rawPriority = -300;

export interface GuardDrops {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** The guard of the network namespace in which it was made. */
export class HostGuard {
  private readonly socket = new NetlinkSocket(netlinkFamilies.netfilter);

  /**
   * Makes the rule unless it is there; replaces an older one in one step.
   * @throws ContrailError FAILED_PRECONDITION when the kernel has no nftables.
   */
  ensure(): void {
    if (this.find()?.note === note) return;
    const rule = [
      ...nft.match(nft.metaKeys.inputGroup, 'is', guardedGroup),
      ...nft.match(nft.metaKeys.mark, 'is not', hostMark),
      ...nft.countAndDrop(),
    ];
    try {
      this.socket.request(
        nft.batch([
          nft.newTable(guardTable),
          nft.deleteTable(guardTable),
          nft.newTable(guardTable),
          nft.newFilterChain({ table: guardTable, name: guardChain, hook: prerouting, priority: rawPriority }),
          nft.newRule(guardTable, guardChain, rule, note),
        ]),
        `table ${guardTable}`,
      );
    } catch (cause) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        `nftables: table inet ${guardTable} cannot be made (${errorText(cause)}); the kernel needs CONFIG_NF_TABLES_INET`,
        { cause },
      );
    }
  }

  /** What the rule dropped since it was made; undefined while there is no rule. */
  drops(): GuardDrops | undefined {
    const rule = this.find();
    return rule && { packets: rule.packets, bytes: rule.bytes };
  }

  close(): void {
    this.socket.close();
  }

  private find(): nft.ReadRule | undefined {
    try {
      return this.socket
        .query(nft.dumpRules(guardTable, guardChain), 'rules of the guard')
        .map(nft.decodeRule)
        .find(({ table, chain }) => table === guardTable && chain === guardChain);
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === linuxErrno.ENOENT) return undefined;
      throw error;
    }
  }
}
