import type { KubeEndpointSlice } from '../translate/kube-objects';

/** EndpointSlices by the Service that they belong to. */
export class SliceIndex {
  private readonly byService = new Map<string, Map<string, KubeEndpointSlice>>();

  /** Every slice of a Service, in no particular order. */
  ofService(namespace: string, name: string): KubeEndpointSlice[] {
    return [...(this.byService.get(`${namespace}/${name}`)?.values() ?? [])];
  }

  update(previous: KubeEndpointSlice | undefined, current: KubeEndpointSlice | undefined): void {
    if (previous !== undefined) this.remove(previous);
    if (current === undefined || current.serviceName === '') return;
    const key = `${current.namespace}/${current.serviceName}`;
    const slices = this.byService.get(key) ?? new Map<string, KubeEndpointSlice>();
    slices.set(current.name, current);
    this.byService.set(key, slices);
  }

  private remove(slice: KubeEndpointSlice): void {
    const key = `${slice.namespace}/${slice.serviceName}`;
    const slices = this.byService.get(key);
    slices?.delete(slice.name);
    if (slices?.size === 0) this.byService.delete(key);
  }
}
