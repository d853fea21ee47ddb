export { stampedLayer as layerOf } from '../../sandbox/src/stamped-layer';
export type { StampedLayer as Layer } from '../../sandbox/src/stamped-layer';
