/** Recorded components in the order in which they must end. */
export interface StopStages {
  /** First, or they would start pods again. */
  readonly kubelets: readonly string[];
  /** After the pods and their shims. */
  readonly runtimes: readonly string[];
  /** The control plane and kube-proxy. */
  readonly others: readonly string[];
  /** Last: they keep the namespaces in which the others live. */
  readonly holders: readonly string[];
}

export function stopStages(components: readonly string[]): StopStages {
  const ending = (word: string): string[] =>
    components.filter((component) => component.endsWith(`/${word}`));
  const kubelets = ending('kubelet');
  const runtimes = ending('containerd');
  const holders = ending('holder');
  const staged = new Set([...kubelets, ...runtimes, ...holders]);
  return {
    kubelets,
    runtimes,
    holders,
    others: components.filter((component) => !staged.has(component)),
  };
}
