export {
  baseObjects,
  configRootUuid,
  defaultDomainUuid,
  defaultProjectUuid,
  globalSystemConfigUuid,
  ipFabricNetworkUuid,
} from './base-objects';
export { derivedChildren, isDerivedChild } from './derived-children';
export { formatProblem, isUuid } from './formats';
export { dnsProblems } from './dns-rules';
export { derivedUuid, impliedUuid, wellKnownUuid } from './identity';
export { parseSharedProject } from './shared-project';
export {
  automaticRouteTarget,
  completeResource,
  defaultAutonomousSystem,
  defaultRoutingInstance,
  idClaimsOf,
  idsToFree,
  setNumericId,
  tagValueClaim,
  withRouteTarget,
} from './implied-objects';
export type { IdClaim } from './implied-objects';
export {
  clusterPodServicePolicyName,
  defaultDomainName,
  defaultProjectName,
  defaultSecurityGroupName,
  globalSystemConfigName,
  aliasIpPoolName,
  attachmentIpamName,
  attachmentNetworkName,
  ipFabricIpamName,
  ipFabricNetworkName,
  ipFabricPolicyName,
  listenerName,
  loadbalancerInstanceIpName,
  loadbalancerInterfaceName,
  loadbalancerName,
  podInstanceIpName,
  podInterfaceName,
  podIpamName,
  podNetworkName,
  podServicePolicyName,
  projectName,
  serviceIpamName,
  serviceNetworkName,
  servicePolicyName,
  virtualMachineName,
} from './names';
export { childFqName, isChildName, onlyParentType, parentFqName } from './naming-rules';
export { firstAutomaticId, idRangeOf } from './numeric-ids';
export type { IdRange, IdSpace } from './numeric-ids';
export {
  backReferencesOf,
  childTypesOf,
  findStructure,
  goesWithParent,
  takesChildrenAlong,
} from './relations';
export type { BackReference } from './relations';
export {
  findRestType,
  parseRestType,
  restBackReferenceField,
  restChildrenField,
  restPlural,
  restProperties,
  restReferenceField,
  restTypeName,
} from './rest-names';
export { protocolNames, protocolNumber } from './protocols';
export { mapRefs, referenceField, refsOf } from './references';
export type { ResourceReference } from './references';
export { shareScope } from './share-scope';
export type { ShareScope } from './share-scope';
export { routeConflictKey } from './route-conflict';
export { networkAccessList, networkAccessListUuid } from './network-access-list';
export { relaxedTargets, relaxTarget } from './relaxed-references';
export {
  decodeResource,
  describe,
  describeName,
  encodeResource,
  fieldsOf,
  findMessage,
  fromResource,
  isResourceType,
  metaOf,
  parseResourceType,
  setMeta,
  sortedAnnotations,
  specOf,
  toCamelCase,
  toResource,
  typeNames,
  typeOf,
  withFields,
} from './resource';
export type { MessageOf, PartialMessage, ResourceType } from './resource';
export { resourceTypes, structures } from './schema';
export type {
  CollectionSpec,
  PropertyFormat,
  PropertySpec,
  ReferenceSpec,
  ResourceTypeSpec,
  ScalarKind,
  StructureSpec,
} from './schema';
export {
  completeSubnet,
  defaultServiceAddresses,
  prefixText,
  subnetsOf,
  tryToPrefix,
} from './subnets';
export type { ServiceAddresses } from './subnets';
export { predefinedTagTypes, tagTypeNamed, tagTypeNumber, withTagNumber } from './tags';
export { conflictProblems } from './type-rules';
export {
  limits,
  parentProblems,
  readOnlyFields,
  readOnlyProblems,
  validateResource,
} from './validate';
export { readVarint, varintLength, writeVarint } from './varint';
