import type { Network } from '../topology/topology';
import type { CompileSettings } from './compile-context';

/** @param text fq_name joined by colons, or only its last part. */
export function isNamed({ name }: Network, text: string): boolean {
  return name === text || name.endsWith(`:${text}`);
}

/** The network of all pods that are neither isolated nor on a network of their own. */
export function isClusterPodNetwork(network: Network, { clusterPodNetwork }: CompileSettings): boolean {
  return isNamed(network, clusterPodNetwork);
}
