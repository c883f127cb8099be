#!/bin/bash
# A sweep as a Slurm array job: every task is one worker on the shared directory. Tasks may come, go
# and be killed by the time limit: what a dead worker left is taken over by the others, and
# submitting the same job again continues the sweep. `spur compare my_logs/NAME` says what it came to.
# B: since the worker is the batch script itself, which Slurm does not signal otherwise.
#
#   sbatch --array=1-8 examples/cluster/slurm.sh examples/search.ini
#
#SBATCH --job-name=spur
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue

exec spur sweep "$@" --worker --quiet run.threads="${SLURM_CPUS_PER_TASK:-1}"
