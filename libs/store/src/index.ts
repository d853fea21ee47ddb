export type { DependentKind } from './keys';
export { MemoryStore } from './memory-store';
export type { RedisOptions } from './redis/connection';
export { openStore } from './redis-store';
export type { StoreOptions } from './redis-store';
export type {
  Dependent,
  IdUse,
  ListQuery,
  Page,
  ResourceStore,
  StoreChange,
  CountLimit,
  StoredPage,
  SubnetGuard,
  TransactionFailure,
  TransactionRequest,
  TransactionResult,
  TypedName,
  WatchEvent,
  WatchOptions,
  WatchPosition,
  Write,
} from './store';
export { AddressPool } from './allocation/address-pool';
export type {
  AddressPoolOptions,
  PoolUsage,
  ReleaseItem,
  StarvedNetwork,
} from './allocation/address-pool';
export type { AllocationItem, AllocationOutcome } from './allocation/allocation-batch';
export type { HeldAddress, Holder } from './allocation/holder';
export { candidatesAfter, capacityOf, describeSubnet, layoutOf } from './allocation/candidates';
export type { PoolLayout, PoolSubnet } from './allocation/candidates';
export { StoredObject } from './stored-object';
export { StoreHealth } from './store-health';
export type { Probed } from './store-health';
