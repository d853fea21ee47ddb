import { ContrailError } from '@contrail/errors';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

/** An object with its address, which nobody else gets meanwhile. */
export interface Lease {
  readonly resource: Resource;
  /** Gives the address back: the object could not be created. */
  cancel(): Promise<void>;
}

export interface AddressRequest {
  readonly count: number;
  readonly subnetUuid: string | undefined;
  /** 4 or 6; undefined: any. */
  readonly family: 4 | 6 | undefined;
}

/** Addresses of networks: those of new objects, and those that clients take without any object. */
export interface Addresses {
  /** An instance-ip, floating-ip or alias-ip gets its address; other objects stay as they are. */
  lease(resource: Resource): Promise<Lease>;
  /** After an object was deleted. Never throws: what is not released now is taken back later. */
  release(resource: Resource): Promise<void>;
  /** @throws ContrailError RESOURCE_EXHAUSTED, INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE */
  take(network: Resource, request: AddressRequest): Promise<string[]>;
  /** Frees what was taken without an object. @throws ContrailError INVALID_ARGUMENT */
  free(network: Resource, addresses: readonly string[]): Promise<void>;
  /** How many addresses of each subnet are given out. */
  counts(subnetUuids: readonly string[]): Promise<number[]>;
}

const unavailable = (): Promise<never> =>
  Promise.reject(
    new ContrailError(
      'UNAVAILABLE',
      'addresses: IPAM_ADDRESS is not set, so no address can be given; set it to where ipam serves',
    ),
  );

/** For a config-api without ipam: objects keep the address that the client chose. */
export const noAddresses: Addresses = {
  lease: (resource) => Promise.resolve({ resource, cancel: () => Promise.resolve() }),
  release: () => Promise.resolve(),
  take: unavailable,
  free: unavailable,
  counts: unavailable,
};
