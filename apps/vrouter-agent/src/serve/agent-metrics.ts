import { gauge } from '@contrail/telemetry';
import type { CniContext } from '../cni-server/cni-context';
import { tableNames } from '../oper/desired-tables';

/** Values are read when Prometheus asks. */
export function registerAgentMetrics({ state, datapath, attachments }: CniContext): void {
  const name = (suffix: string): string => `contrail_vrouter_agent_${suffix}`;
  gauge(name('interfaces'), 'Interfaces that the CNI plugin attached.', [], function () {
    this.set(attachments.all().length);
  });
  gauge(name('flows'), 'Flow records in use.', [], function () {
    this.set(datapath.flowCount().used);
  });
  gauge(name('flow_capacity'), 'Flow records that fit.', [], function () {
    this.set(datapath.flowCount().capacity);
  });
  gauge(name('in_sync'), '1 from the first InSync of control on.', [], function () {
    this.set(state.inSync ? 1 : 0);
  });
  gauge(name('revision_received'), 'Latest revision from control.', [], function () {
    this.set(Number(state.revisionReceived));
  });
  gauge(name('revision_programmed'), 'Highest revision that is in the datapath.', [], function () {
    this.set(Number(state.revisionProgrammed));
  });
  gauge(name('exceptions'), 'Entries of control that could not be programmed.', [], function () {
    this.set(state.problems().length);
  });
  gauge(name('table_entries'), 'Rows of each table that the agent has programmed.', ['table'], function () {
    for (const table of tableNames) this.set({ table }, state.tables[table].size);
  });
  gauge(name('dropped_packets'), 'Packets dropped since the maps were made.', ['reason', 'vrf'], function () {
    this.reset();
    for (const { reasonName, vrf, packets } of datapath.drops()) {
      this.set({ reason: reasonName, vrf: String(vrf) }, Number(packets));
    }
  });
  gauge(name('guard_dropped_packets'), 'Packets that reached the stack of the node past a program; dropped by nftables.', [], function () {
    this.set(Number(datapath.devices.guardDrops()?.packets ?? 0n));
  });
  gauge(name('dropped_bytes'), 'Bytes dropped since the maps were made.', ['reason', 'vrf'], function () {
    this.reset();
    for (const { reasonName, vrf, bytes } of datapath.drops()) {
      this.set({ reason: reasonName, vrf: String(vrf) }, Number(bytes));
    }
  });
}
