#!/usr/bin/env bash
# Generates resources.proto from the resource model and TypeScript from all protos.
# With --check: fails when the committed files differ from what would be generated.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=node_modules/.bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/esbuild" tools/proto/generate-resources.ts --bundle --platform=node --log-level=warning --outfile="$work/gen.cjs"
if [ "${1:-}" = --check ]; then
  cp -r proto "$work/proto"
  node "$work/gen.cjs" "$work/proto"
  diff -u proto/contrail/config/v1/resources.proto "$work/proto/contrail/config/v1/resources.proto"
  "$bin/buf" lint
  "$bin/buf" generate -o "$work/out"
  diff -r -u "$work/out/libs/proto-gen/src" libs/proto-gen/src
  "$bin/buf" build -o "$work/image.binpb"
  "$bin/buf" breaking --against tools/proto/baseline.binpb
  echo "generated code is up to date"
else
  node "$work/gen.cjs" proto
  "$bin/buf" lint
  rm -rf libs/proto-gen/src
  "$bin/buf" generate
  # The baseline moves only with a release (tools/proto/release-baseline.sh); the first one is made here.
  [ -f tools/proto/baseline.binpb ] || "$bin/buf" build -o tools/proto/baseline.binpb
fi
