#!/usr/bin/env bash
# npm stop: removes every cluster of this machine; only the cache folder stays.
set -euo pipefail
cd "$(dirname "$0")/.."
state=/var/lib/contrail-sandbox
[ -d "$state" ] || { echo "nothing is running"; exit 0; }
[ -d node_modules ] || npm ci --no-progress >&2
for dir in "$state"/*/; do
  [ -d "$dir" ] || continue
  tools/sandbox/sandbox --name "$(basename "$dir")" down
done
rmdir "$state" 2>/dev/null || true
echo "stopped"
