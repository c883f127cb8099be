#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same work as bench_data's first three lines, by torchvision and PyTorch's DataLoader.

usage: peer.py DIR [WORKERS]      DIR as made by bench_data; needs torch, torchvision, Pillow
"""
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

script.require("torch", "torchvision", "PIL")
import torch
from torchvision import datasets, transforms

NORMALIZE = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
CASES = {
    "JPEG 375x500, crop to 224, flip": [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()],
    "JPEG 375x500, resize to 224": [transforms.Resize((224, 224))],
    "JPEG 375x500, decode and normalise": [],
}


def main():
    folder, workers = (script.words(__doc__, 1, 2) + ["2"])[:2]
    workers = int(workers)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {workers} worker(s)")
    for name, steps in CASES.items():
        data = datasets.ImageFolder(folder + "/train", transforms.Compose(steps + NORMALIZE))
        loader = torch.utils.data.DataLoader(data, 32, shuffle=True, num_workers=workers,
                                             persistent_workers=workers > 0)
        rates = []
        for epoch in range(6):
            start = time.perf_counter()
            images = sum(len(labels) for _, labels in loader)
            if epoch:
                rates.append(images / (time.perf_counter() - start))
        print(f"{name:44} {statistics.median(rates):9.0f} images/s")


if __name__ == "__main__":
    script.run(main)
