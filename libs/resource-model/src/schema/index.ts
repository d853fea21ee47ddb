export { resourceTypes } from './types';
export { structures } from './structures';
export type {
  PropertyFormat,
  PropertySpec,
  ReferenceSpec,
  ResourceTypeSpec,
  ScalarKind,
  StructureSpec,
} from './dsl';
