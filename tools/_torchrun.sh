#!/usr/bin/env bash
# What dist_train.sh and dist_test.sh share: _torchrun.sh PROCESSES TOOL.py [arguments of the tool]
#
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT. One machine: a free port of its own,
# unless PORT says which.
set -euo pipefail

if [ "${NNODES:-1}" -gt 1 ]; then
    where=(--nnodes="$NNODES" --node_rank="${NODE_RANK:?}" --master_addr="${MASTER_ADDR:?}"
        --master_port="${PORT:-29500}")
elif [ -n "${PORT:-}" ]; then
    where=(--master_port="$PORT")
else
    where=(--standalone)
fi
processes=$1 tool=$2
shift 2
exec "${PYTHON:-python}" -m torch.distributed.run "${where[@]}" --nproc_per_node="$processes" \
    "$(dirname "$0")/$tool" "$@" --launcher pytorch
