#!/usr/bin/env bash
# Runs Kubernetes' own network specs (e2e.test, built from the same version) against a sandbox.
# usage: upstream.sh NAME [FOCUS]; writes build/reports/upstream.xml
set -uo pipefail
cd "$(dirname "$0")/../.."
name=$1
focus=${2:-$(grep -vE '^(#|$)' tools/e2e/upstream-specs.txt | paste -sd'|')}
cache=${CONTRAIL_CACHE:-/var/cache/contrail}
tools/sandbox/sandbox build e2e >&2 || exit 1
binary=$(ls -d "$cache"/bin/e2e-*/e2e.test | head -1)
kubectl=$(ls -d "$cache"/bin/kubernetes-*/kubectl | head -1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p build/reports
nodes=$(tools/sandbox/sandbox --name "$name" kubectl get nodes -l '!node-role.kubernetes.io/control-plane' --no-headers | wc -l)
tools/sandbox/sandbox --name "$name" exec control-plane -- "$binary" \
  --kubeconfig "$(tools/sandbox/sandbox --name "$name" kubeconfig)" --provider=local --num-nodes="$nodes" \
  --allowed-not-ready-nodes=0 --system-pods-startup-timeout=60s --disable-log-dump \
  --kubectl-path "$kubectl" --ginkgo.focus="$focus" --ginkgo.skip='SCTP|\[Slow\]|IPv6|\[Feature:' \
  --ginkgo.no-color --ginkgo.succinct --report-dir "$work" > build/reports/upstream.log 2>&1
status=$?
cp "$work"/junit_*.xml build/reports/upstream.xml 2>/dev/null
grep -E '^(Ran |\[Fail\]|  \[FAIL\]|FAIL!|SUCCESS!)' build/reports/upstream.log | sort -u
exit $status
