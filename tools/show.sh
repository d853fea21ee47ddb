#!/usr/bin/env bash
# Shows on a running cluster that pods, services and traces work. usage: show.sh NAME
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1
sandbox() { tools/sandbox/sandbox --name "$name" "$@"; }
kubectl() { sandbox kubectl "$@"; }

kubectl apply -f k8s/examples/hello.yaml >&2
kubectl rollout status deployment/hello --timeout=120s >&2
echo
kubectl get nodes -o wide
kubectl get pods -o wide
address=$(kubectl get service hello -o 'jsonpath={.spec.clusterIP}')
pod=$(kubectl get pods -l app=hello -o 'jsonpath={.items[0].metadata.name}')
echo
echo "pod $pod asks the service hello ($address) eight times, by name and by address; answers come from:"
for url in "http://hello:80/hostname" "http://$address:80/hostname"; do
  kubectl exec "$pod" -- sh -c "for i in 1 2 3 4; do curl -sS --max-time 5 $url; echo; done"
done | sort | uniq -c
control_plane=$(sandbox kubectl get node -l node-role.kubernetes.io/control-plane -o 'jsonpath={.items[0].status.addresses[0].address}')
cat <<TEXT

Use it:
  tools/sandbox/sandbox kubectl get pods -A          kubectl on this cluster
  export KUBECONFIG=$(sandbox kubeconfig)
  tools/sandbox/sandbox exec node1 -- ip address     a command on a node
  tools/sandbox/sandbox kubectl -n contrail exec ds/vrouter-agent -- contrailctl vif
  traces: http://$control_plane:16686/api/traces?service=kube-manager&limit=1
  npm stop                                           removes it
TEXT
