export { ContrailError, errorText } from './contrail-error';
export type { ErrorCode } from './contrail-error';
export { invariant } from './invariant';
