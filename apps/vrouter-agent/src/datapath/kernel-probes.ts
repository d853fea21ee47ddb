import { closeSync } from 'node:fs';
import { release } from 'node:os';
import { ContrailError } from '@contrail/errors';
import { attachClassifier } from './bpf/classifier';
import { libbpf } from './bpf/libbpf';
import { gatewayMac, findLink } from './devices/pod-interface';
import { tunnelName } from './devices/tunnel';
import type { DeviceProbe, KernelProbes } from './kernel-features';
import { classifierProgramType } from './kernel-features';
import { linuxErrno, NetlinkError, NetlinkSocket } from './netlink/netlink-socket';
import * as rt from './netlink/rtnetlink';

const probeName = 'contrail-probe';
/** Not the tunnel's: two metadata devices cannot share a port. The device stays down and opens none. */
const probePort = 14789;
const probeMtu = 1450;

/** `r0 = TC_ACT_OK; exit` */
const passAll = Buffer.from('b7000000000000009500000000000000', 'hex');

/** Tries on the running kernel, in the network namespace of the caller. */
export const kernelProbes: KernelProbes = {
  release: release(),
  hasProgramType: (type) => libbpf().probeProgramType(type) === 1,
  hasMapType: (type) => libbpf().probeMapType(type) === 1,
  hasHelper: (helper) => libbpf().probeHelper(classifierProgramType, helper) === 1,
  probeDevices: () => {
    const socket = new NetlinkSocket();
    try {
      return probeDevices(socket);
    } finally {
      socket.close();
    }
  },
};

/** A tunnel that an earlier run left proves both; otherwise a device of our own is made and removed. */
function probeDevices(socket: NetlinkSocket): DeviceProbe {
  if (findLink(socket, tunnelName)?.collectsMetadata === true) {
    return { metadataTunnel: true, classifierHook: true };
  }
  if (!createProbe(socket)) return { metadataTunnel: false, classifierHook: false };
  try {
    const link = findLink(socket, probeName);
    return {
      metadataTunnel: link?.collectsMetadata === true,
      classifierHook: link !== undefined && canAttach(link.ifindex),
    };
  } finally {
    socket.request([rt.deleteLink(probeName)], `removal of ${probeName}`);
  }
}

/** False when the kernel does not know the kind of device. */
function createProbe(socket: NetlinkSocket): boolean {
  const device = { name: probeName, mac: gatewayMac, mtu: probeMtu };
  try {
    if (findLink(socket, probeName) !== undefined) {
      socket.request([rt.deleteLink(probeName)], `removal of an old ${probeName}`);
    }
    socket.request([rt.createMetadataVxlan(device, probePort)], `creation of ${probeName}`);
    return true;
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    if (error.errno === linuxErrno.EOPNOTSUPP) return false;
    if (error.errno !== linuxErrno.EPERM) throw error;
    throw new ContrailError(
      'FAILED_PRECONDITION',
      `Device/${probeName}: the agent may not make network devices; run it in a privileged container (CAP_NET_ADMIN)`,
      { cause: error },
    );
  }
}

function canAttach(ifindex: number): boolean {
  const programFd = libbpf().loadProgram(classifierProgramType, passAll);
  if (programFd < 0) return false;
  try {
    attachClassifier(ifindex, 'ingress', programFd);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(programFd);
  }
}
