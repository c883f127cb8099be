#!/bin/sh
# A sweep started by mpirun, as a launcher only: the processes do not talk to each other.
#
#   mpirun -n 4 examples/cluster/mpi.sh examples/search.ini
#
# Overrides may follow the file. The first process prints the report when all trials are done.
rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-${SLURM_PROCID:-0}}}
if [ "$rank" = 0 ]; then
    exec spur sweep "$@"
fi
exec spur sweep "$@" --worker --quiet
