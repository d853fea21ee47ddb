/** Annotations by which users speak to us, and one by which we answer. Contract: docs/annotations.md. */
export const isolationKey = 'opencontrail.org/isolation';
export const serviceIsolationKey = 'opencontrail.org/isolation.service';
export const isolationStatusKey = 'opencontrail.org/isolation-status';
export const networkKey = 'opencontrail.org/network';
/** Of the multi-network specification; we write it. */
export const networkStatusKey = 'k8s.v1.cni.cncf.io/network-status';
export const cidrKey = 'opencontrail.org/cidr';
