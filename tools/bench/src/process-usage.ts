import { readFileSync } from 'node:fs';

/** Of /proc/PID/stat: USER_HZ is 100 on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** CPU time of a process with all its threads, in seconds. @param stat text of /proc/PID/stat */
export function parseCpuSeconds(stat: string): number {
  // The name in parentheses may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`/proc/PID/stat: "${stat.slice(0, 60)}" has no CPU times`);
  return ticks / ticksPerSecond;
}

/** Resident memory in bytes. @param status text of /proc/PID/status */
export function parseResidentBytes(status: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error('/proc/PID/status: has no VmRSS; a kernel thread?');
  return Number(kilobytes) * 1024;
}

export const cpuSeconds = (pid: number): number => parseCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));

export const residentBytes = (pid: number): number =>
  parseResidentBytes(readFileSync(`/proc/${pid}/status`, 'utf8'));
