export {
  addressEquals,
  addressFromBigInt,
  addressKey,
  addressToBigInt,
  compareAddresses,
  formatAddress,
  isUsableUnicast,
  parseAddress,
  tryParseAddress,
} from './address';
export type { Address } from './address';
export { formatMac, macFromUuid, parseMac } from './mac';
export {
  formatPrefix,
  lastAddress,
  networkAddress,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
} from './prefix';
export type { Prefix } from './prefix';
export { formatUuid, parseUuid, uuidV5 } from './uuid';
