export { resourceTypes } from './types';
export { structures } from './structures';
export type {
  CollectionSpec,
  PropertyFormat,
  PropertySpec,
  ReferenceSpec,
  ResourceTypeSpec,
  ScalarKind,
  StructureSpec,
} from './dsl';
