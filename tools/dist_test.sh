#!/usr/bin/env bash
# Evaluate with several processes, one per GPU; on a machine without a GPU they run on the CPU.
#
#   tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]
#
# Several machines: as in tools/dist_train.sh.
set -euo pipefail

if [ $# -lt 3 ] || ! [[ $3 =~ ^[1-9][0-9]*$ ]]; then
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
config=$1 checkpoint=$2 processes=$3
shift 3
for file in "$config" "$checkpoint"; do
    [ -f "$file" ] || { echo "error: $file does not exist" >&2; exit 1; }
done

exec "$(dirname "$0")/_torchrun.sh" "$processes" test.py "$config" "$checkpoint" "$@"
