#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/ablations.md from finished sweeps of examples/ablations.

usage: scripts/ablations.py SPUR LOGDIR

Every table and every statement is what `spur compare` prints on LOGDIR/ablation_NAME; sweeps that are not
complete are left out, and named. The order is that of NAMES.
"""
import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["balance", "learning_rate", "schedulers", "normalization", "optimizers", "regularization", "unet", "segmentation",
         "early_stopping", "augment_flip", "augment_random_crop", "augment_rotation", "augment_erasing", "augment_color_jitter",
         "augment_perspective", "augment_resized_crop"]
METRICS = {"balance": "val_accuracy,val_recall_class_7,val_recall_class_8,val_recall_class_9"}

# What the numbers do not say by themselves.
NOTES = {
    "balance": "For orientation, PyTorch with one seed, on the test part: none 37.8 % and a recall of 0.07 on the three rarest classes, "
               "class weights 42.7 % and 0.20, weighted sampler 40.1 % and 0.14. The values here are those after the last epoch, on the "
               "validation part.",
    "schedulers": "`one_cycle` goes up to 3e-3, three times the rate of the others: part of what it gains is the rate. `plateau` saw none in six "
                  "epochs: it is `constant` here, and has its numbers to the last digit.",
    "segmentation": "Nothing about architectures as such: DeepLabV3's 40 million parameters have 367 pictures and six epochs here, and what it usually "
                    "starts from, a classifier's weights, is left out.",
    "augment_flip": "Six epochs are too few for this network to learn its pictures by heart, which is what augmentation works against.",
}

HEAD = """# Ablations

What the files under `examples/ablations/` come to: one sweep each, five seeds per configuration. `scripts/ablations.py` writes this page
from the finished sweeps; tables and statements are those of `spur compare`. Everything was computed by

```sh
spur sweep examples/ablations/NAME.ini          # sweep.jobs=2 for two trials at a time: the same numbers
```

**How to read this.** The photographs are 10,000 pictures of CIFAR-10, one folder per class (`data.path`), 8,000 of them to train; networks are
small and trainings short, so that each sweep takes minutes; segmentation has scenes that are generated, or CamVid's. A table says what holds for *this* network after *so many* epochs, not for yours. The
first column of numbers is the mean over seeds and its standard deviation, *p* is that of a t test against the best configuration with Holm's
correction for all pairs of configurations ([sweeps.md](sweeps.md)), *last* is the value after the last epoch. The monitor's best epoch is chosen on the same pictures that it is
measured on, which flatters all configurations alike. Five seeds show large differences only: where it says "no evidence", believe that.
A seed draws the same validation pictures and first weights for all configurations. Where that shows, the t test compares seed by seed, and the report says
so; Wilcoxon's test always does, and 0.062 says that all five agree.
"""


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout


def is_complete(folder):
    if not (folder / "results.csv").exists():
        return False
    with open(folder / "results.csv", newline="") as file:
        return all(row["state"] == "done" for row in csv.DictReader(file))


def about(name):
    """The comment at the head of an INI file."""
    lines = (ROOT / "examples/ablations" / f"{name}.ini").read_text().splitlines()
    words = []
    for line in lines:
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    return " ".join(words)


def section(spur, name, folder):
    metric = ["--metric", METRICS[name]] if name in METRICS else []
    table = run(spur, "compare", folder, *metric, "--md")
    text = run(spur, "compare", folder, *metric)
    head, _, rest = text.partition("\n\n")
    statements = rest.partition("\n\n")[2]
    command = " ".join(["spur compare", f"my_logs/ablation_{name}", *metric])
    title = {"unet": "U-Net"}.get(name, name.replace("augment_", "augmentation: ").replace("_", " "))
    note = f"\n{NOTES[name]}\n" if name in NOTES else ""
    return (f"\n## {title[0].upper()}{title[1:]}\n\n{about(name)}\n\n"
            f"`spur sweep examples/ablations/{name}.ini`, then `{command}`: {head}.\n\n{table}\n```\n{statements.rstrip()}\n```\n{note}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    spur, logs = sys.argv[1], Path(sys.argv[2])
    missing = sorted({p.stem for p in (ROOT / "examples/ablations").glob("*.ini") if "base" not in p.stem} - set(NAMES))
    if missing:
        sys.exit(f"not in NAMES: {', '.join(missing)}")
    done = [n for n in NAMES if is_complete(logs / f"ablation_{n}")]
    text = HEAD + "".join(section(spur, n, logs / f"ablation_{n}") for n in done)
    left = [f"`{n}`" for n in NAMES if n not in done]
    if left:
        text += f"\n## Not computed yet\n\n{', '.join(left)}.\n"
    (ROOT / "docs/ablations.md").write_text(text)
    print(f"{len(done)} tables, {len(left)} left")


if __name__ == "__main__":
    main()
