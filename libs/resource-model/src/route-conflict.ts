/** Annotation of networks and policies: why networks are not joined although policies say so. Written by config-api for control. */
export const routeConflictKey = 'route_conflict';
