#!/usr/bin/env bash
# Builds contrail-cni, static, into OUTDIR: it runs on the node, whose libraries we do not know.
set -euo pipefail
out=${1:?usage: build.sh OUTDIR}
source=$(cd "$(dirname "$0")" && pwd)/src/cni.c
mkdir -p "$out"
gcc -std=gnu11 -O2 -static -s -Wall -Wextra -Werror -Wno-format-truncation -o "$out/contrail-cni.new" "$source"
mv "$out/contrail-cni.new" "$out/contrail-cni"
