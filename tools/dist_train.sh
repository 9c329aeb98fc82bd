#!/usr/bin/env bash
# Train with several processes, one per GPU; on a machine without a GPU they run on the CPU.
#
#   tools/dist_train.sh CONFIG [CONFIG ...] PROCESSES [options of tools/train.py]
#
# The paper's batch of 12 is 2 processes with 6 images each:
#   tools/dist_train.sh configs/acnn_phase1.py configs/acnn_phase2.py configs/acnn_phase3.py 2
#
# Several machines: the same command on each of N machines, with
#   NNODES=N NODE_RANK=0..N-1 MASTER_ADDR=address_of_the_first PORT=29500
set -euo pipefail

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }

configs=()
while [ $# -gt 0 ] && ! [[ $1 =~ ^[1-9][0-9]*$ ]]; do
    [[ $1 == -* ]] && usage
    [ -f "$1" ] || { echo "error: config file $1 does not exist" >&2; exit 1; }
    configs+=("$1")
    shift
done
[ ${#configs[@]} -gt 0 ] && [ $# -gt 0 ] || usage
processes=$1
shift

exec "$(dirname "$0")/_torchrun.sh" "$processes" train.py "${configs[@]}" "$@"
