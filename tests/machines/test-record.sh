#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Each fixture, expanded and recorded again, must come out as it was: what a user records is what the tests replay.
# Usage: test-record.sh PYTHON
set -eu
machines=$(dirname "$0")
python=${1:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

failed=0
for tree in "$machines"/*.tree; do
        name=$(basename "$tree" .tree)
        case $name in host | input | monitor | pci-ids | usb) continue ;; esac # no hardware in them, or none that is recorded

        mkdir "$scratch/$name"
        "$python" "$machines/tree.py" "$scratch/$name" "$name"
        grep -v '^#' "$tree" >"$scratch/wanted"
        if ! sh "$machines/record.sh" - "$scratch/$name" | diff -u "$scratch/wanted" -; then
                echo "$name.tree is not as record.sh writes it" >&2
                failed=1
        fi
done
exit $failed
