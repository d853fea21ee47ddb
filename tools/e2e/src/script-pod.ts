import { kubectl, podExec } from './cluster';

/** A pod with Node in which scripts run; it does nothing by itself. */
export async function scriptPod(name: string, namespace: string, extra: { node?: string; labels?: Record<string, string>; capabilities?: readonly string[] } = {}): Promise<unknown> {
  const image = (await kubectl(['-n', 'contrail', 'get', 'deployment', 'control', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).trim();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, ...extra.labels } },
    spec: {
      ...(extra.node === undefined ? {} : { nodeName: extra.node }),
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', 'setInterval(() => undefined, 1e6)'],
          securityContext: { runAsUser: 0, capabilities: { add: [...(extra.capabilities ?? [])] } },
        },
      ],
    },
  };
}

/** Runs a script that prints one JSON value. @throws Error with its standard error when it fails. */
export async function runScript<T>(namespace: string, pod: string, script: string, parameters: unknown): Promise<T> {
  const { status, stdout, stderr } = await podExec(namespace, pod, ['node', '-e', script, JSON.stringify(parameters)]);
  if (status !== 0) throw new Error(`script in ${pod}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
