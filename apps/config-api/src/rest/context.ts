import type { ResourceStore } from '@contrail/store';
import type { Transactor } from '../transact/transactor';
import type { Addresses } from './addresses/addresses';
import type { Authorizer } from './auth/authorizer';
import type { Access } from './auth/kubernetes-access';

/** What every part of the REST API works with. */
export interface RestContext {
  readonly store: ResourceStore;
  readonly transactor: Transactor;
  readonly access: Access;
  readonly authorizer: Authorizer;
  readonly addresses: Addresses;
}

