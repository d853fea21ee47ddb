/** Codes of the CNI specification 1.1.0, and those of this plugin from 100 on. */
export const cniCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decode: 6,
  invalidConfig: 7,
  tryAgain: 11,
  notAvailable: 50,
  /** The same container and interface were added before. */
  alreadyAttached: 100,
  /** What CHECK found differs from what ADD made. */
  checkFailed: 101,
  /** Neither pod nor VMI is named. */
  nothingToAttach: 102,
  internal: 103,
} as const;

export type CniCode = (typeof cniCodes)[keyof typeof cniCodes];

/** A CNI operation that failed, as the runtime sees it. */
export class CniError extends Error {
  readonly code: CniCode;
  readonly details: string;

  constructor(code: CniCode, message: string, details = '') {
    super(message);
    this.name = 'CniError';
    this.code = code;
    this.details = details;
  }
}
