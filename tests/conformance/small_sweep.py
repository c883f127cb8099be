# SPDX-License-Identifier: MIT
"""The sweep that two tests look at: four configurations, two learning rates by two normalizations."""
import subprocess

INI = """
[run]
name = small
[data]
format = shapes
samples = 40
val_samples = 20
size = 16x16
batch_size = 10
[model]
name = mlp
[train]
epochs = {epochs}
[log]
images = 0
worst = 0
[sweep]
optimizer.lr = 1e-2, 1e-3
data.normalization = none | dataset
seeds = 1..{seeds}
"""
GROUPS = 4


def run(program, work, *, epochs, seeds):
    """Leaves the sweep in <work>/my_logs/small."""
    (work / "small.ini").write_text(INI.format(epochs=epochs, seeds=seeds))
    subprocess.run([program, "sweep", "small.ini", "--quiet"], cwd=work, check=True, stdout=subprocess.DEVNULL)
