import type { Interface } from '@contrail/proto-gen/control/v1/messages';
import { interfaceUnit, policyUnit } from '../oper/unit-key';
import type { CniContext } from './cni-context';
import { CniError, cniCodes } from './cni-error';
import type { Subject } from './cni-request';

export interface Wanted {
  readonly subject: Subject;
  readonly ifname: string;
}

/** Either what was waited for, or what is missing, in words. */
type Outcome<T> = { readonly found: T } | { readonly missing: string };

/** The interface that control wants for the subject, with addresses and a policy. */
export function findWanted(context: CniContext, wanted: Wanted): Outcome<Interface> {
  const { state } = context;
  if (!state.inSync) {
    return { missing: `control has not sent its state yet (${context.controlProblem() ?? 'the snapshot is arriving'})` };
  }
  const { entries } = state.desired;
  const vmi = findVmi(context, wanted);
  if (!vmi) return { missing: `no VirtualMachineInterface from control yet (${whyNoVmi(context)})` };
  const name = `VirtualMachineInterface ${vmi.uuid}`;
  if (vmi.node !== state.desired.self) return { missing: `${name} is on node ${vmi.node}, not ${state.desired.self}` };
  if (vmi.addresses.length === 0) return { missing: `${name} has no address yet (is its address pool exhausted?)` };
  if (!entries.has(`vrf/${vmi.vrf}`)) return { missing: `VRF ${vmi.vrf} of ${name} has not come from control yet` };
  if (vmi.policy === 0 || !entries.has(`policy/${vmi.policy}`)) return { missing: `policy of ${name} has not come from control yet` };
  return { found: vmi };
}

/** True when the datapath enforces all of the interface. */
export function findProgrammed(context: CniContext, vmiUuid: string): Outcome<true> {
  if (context.state.holdsInterface(vmiUuid)) return { found: true };
  const policy = context.state.desired.entries.findInterface(vmiUuid)?.policy ?? 0;
  const units = [interfaceUnit(vmiUuid), policyUnit(policy)];
  const failure = context.state.progress()?.exceptions.find(({ key }) => units.includes(key));
  return { missing: failure?.reason ?? 'the datapath is not programmed yet' };
}

/**
 * Waits until `look` finds something; looks again whenever the state changes, never by time.
 *
 * @throws CniError 11 (try again later) naming what is missing when the signal is aborted.
 */
export async function waitFor<T>(
  context: CniContext,
  options: { subject: Subject; signal: AbortSignal },
  look: () => Outcome<T>,
): Promise<T> {
  const first = look();
  if ('found' in first) return first.found;
  return await new Promise<T>((resolve, reject) => {
    let { missing } = first;
    const finish = (): void => {
      stop();
      options.signal.removeEventListener('abort', giveUp);
    };
    const giveUp = (): void => {
      finish();
      reject(new CniError(cniCodes.tryAgain, `${subjectText(options.subject)}: ${missing}`));
    };
    const stop = context.state.onChange(() => {
      const next = look();
      if ('found' in next) {
        finish();
        resolve(next.found);
      } else ({ missing } = next);
    });
    if (options.signal.aborted) giveUp();
    else options.signal.addEventListener('abort', giveUp, { once: true });
  });
}

export function subjectText(subject: Subject): string {
  switch (subject.kind) {
    case 'pod':
      return `Pod ${subject.namespace}/${subject.name}`;
    case 'vmi':
      return `VirtualMachineInterface ${subject.uuid}`;
    case 'none':
      return 'Container';
  }
}

function findVmi(context: CniContext, { subject, ifname }: Wanted): Interface | undefined {
  const { entries } = context.state.desired;
  switch (subject.kind) {
    case 'pod':
      return entries.findPodInterface(subject.uid, ifname);
    case 'vmi':
      return entries.findInterface(subject.uuid);
    case 'none':
      return undefined;
  }
}

function whyNoVmi(context: CniContext): string {
  const problem = context.controlProblem();
  return problem ?? 'does its project exist, has its network a free address, does kube-manager run?';
}
