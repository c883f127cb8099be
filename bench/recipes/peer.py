#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recipes of the INI files under examples/ in PyTorch: same data, network, augmentation, steps.

usage: peer.py RECIPE DATA_FOLDER SEED >>results.jsonl      RECIPE: camvid, isbi, mnist, cifar10

Needs torch, numpy, Pillow. Prints one JSON object per epoch. Pictures are decoded once and stay in memory.
"""
import gzip
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

script.require("numpy", "torch", "PIL")
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
import peer_models  # noqa: E402


# ---- data: uint8 pictures [n, c, h, w], int64 labels [n] or masks [n, h, w] ---------------------------


def idx(path):
    raw = gzip.open(path).read()
    shape = np.frombuffer(raw, ">u4", raw[3], 4).astype(int)
    return torch.from_numpy(np.frombuffer(raw, np.uint8, -1, 4 + 4 * raw[3]).reshape(shape).copy())


def mnist(folder, split):
    prefix = {"train": "train", "test": "t10k"}[split]
    find = lambda kind: idx(next(Path(folder).glob(f"{prefix}-{kind}-*.gz")))
    x = F.interpolate(find("images")[:, None].float(), size=(48, 48), mode="bilinear", align_corners=False)
    return x.round().to(torch.uint8).expand(-1, 3, -1, -1), find("labels").long()


def picture(path):
    pixels = np.asarray(Image.open(path))
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).copy()).permute(2, 0, 1)


def image_folder(folder, split):
    classes = sorted(p for p in (Path(folder) / split).iterdir() if p.is_dir())
    files = [(f, i) for i, c in enumerate(classes) for f in sorted(c.iterdir())]
    return torch.stack([picture(f) for f, _ in files]), torch.tensor([i for _, i in files])


def segmentation(folder, split):
    images, masks = Path(folder) / split / "images", Path(folder) / split / "masks"
    stems = sorted(p.stem for p in images.iterdir())
    find = lambda d, stem: picture(next(d.glob(stem + ".*")))
    y = torch.stack([find(masks, s)[0] for s in stems]).long()
    return torch.stack([find(images, s) for s in stems]), (y > 127).long() if y.max() == 255 else y


# ---- augmentation ------------------------------------------------------------------------------------


def flips(x, y, vertical):
    for axis in (-1, -2) if vertical else (-1,):
        chosen = torch.rand(len(x)) < 0.5
        x = torch.where(chosen[:, None, None, None], x.flip(axis), x)
        if y.ndim == 3:
            y = torch.where(chosen[:, None, None], y.flip(axis), y)
    return x, y


def turn_and_brighten(x, y):
    """torchvision's RandomRotation(10) (nearest, black corners) and ColorJitter(brightness=0.2)."""
    angle = (torch.rand(len(x)) * 20 - 10) * torch.pi / 180
    c, s, zero = angle.cos(), angle.sin(), torch.zeros(len(x))
    grid = F.affine_grid(torch.stack([c, -s, zero, s, c, zero], 1).view(-1, 2, 3), x.shape, align_corners=False)
    x = F.grid_sample(x, grid, mode="nearest", align_corners=False)
    return (x * (0.8 + 0.4 * torch.rand(len(x), 1, 1, 1))).clamp(0, 1), y


# ---- recipes -----------------------------------------------------------------------------------------

RECIPES = {
    "camvid": dict(read=segmentation, validation="val", classes=11, ignore=11, batch=4, epochs=8, decay=0.0,
                   augment=lambda x, y: flips(x, y, False)),
    "isbi": dict(read=segmentation, validation="val", classes=2, ignore=-100, batch=2, epochs=16, decay=0.0,
                 augment=lambda x, y: flips(x, y, True)),
    "mnist": dict(read=mnist, validation="test", classes=10, ignore=-100, batch=64, epochs=5, decay=1e-4,
                  augment=turn_and_brighten, normalization=([0.1307], [0.3081])),
    "cifar10": dict(read=image_folder, validation="test", classes=10, ignore=-100, batch=64, epochs=10, decay=1e-4,
                    augment=lambda x, y: flips(x, y, False)),
}


def make_model(name, recipe, x):
    if recipe["read"] is segmentation:
        return peer_models.golden.UNet(x.shape[1], recipe["classes"], 16, 4)
    return peer_models.MyNet(x.shape[2], recipe["classes"])


def measure(model, data, labels, recipe, prepare):
    """Metrics from the confusion matrix over the whole split; rows are the truth."""
    n, matrix = recipe["classes"], torch.zeros(recipe["classes"] ** 2)
    model.eval()
    with torch.no_grad():
        for i in range(0, len(data), recipe["batch"]):
            guess = model(prepare(data[i:i + recipe["batch"]])).argmax(1)
            truth = labels[i:i + recipe["batch"]]
            counts = truth != recipe["ignore"]
            matrix += torch.bincount(truth[counts] * n + guess[counts], minlength=n * n)
    matrix = matrix.view(n, n)
    right = matrix.diag()
    union = matrix.sum(0) + matrix.sum(1) - right
    iou = (right / union)[union > 0]
    return {"accuracy": (right.sum() / matrix.sum()).item(), "mean_iou": iou.mean().item(),
            "iou": [round(v, 4) for v in (right / union).tolist()]}


def main():
    name, folder, seed = script.words(__doc__, 3, 3)
    script.chosen(name, RECIPES)
    seed = int(seed)
    recipe = RECIPES[name]
    torch.manual_seed(seed)
    x, y = recipe["read"](folder, "train")
    data, labels = recipe["read"](folder, recipe["validation"])
    if "normalization" in recipe:
        mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in recipe["normalization"])
    else:
        mean = x.float().mean((0, 2, 3), keepdim=True) / 255
        std = (x.float() / 255).std((0, 2, 3), keepdim=True)
    last = torch.channels_last
    scaled = lambda p: p.float() / 255
    prepare = lambda p: ((scaled(p) - mean) / std).contiguous(memory_format=last)
    model = make_model(name, recipe, x).to(memory_format=last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=recipe["decay"])
    for epoch in range(1, recipe["epochs"] + 1):
        begin, total = time.monotonic(), 0.0
        model.train()
        order = torch.randperm(len(x))
        for i in range(0, len(x), recipe["batch"]):
            chosen = order[i:i + recipe["batch"]]
            xs, ys = recipe["augment"](scaled(x[chosen]), y[chosen])
            loss = F.cross_entropy(model(((xs - mean) / std).contiguous(memory_format=last)), ys,
                                   ignore_index=recipe["ignore"])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        print(json.dumps({"recipe": name, "side": "pytorch", "seed": seed, "epoch": epoch, "loss": total / len(x),
                          **measure(model, data, labels, recipe, prepare),
                          "seconds": round(time.monotonic() - begin, 1)}), flush=True)


if __name__ == "__main__":
    script.run(main)
