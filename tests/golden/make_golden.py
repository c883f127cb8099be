#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the golden files in tests/golden/data with PyTorch 2.13.0.

usage: make_golden.py [OUTPUT_FOLDER]

Every number that goes in comes from formula(), which tests/golden/golden.c has too. Files are
safetensors with float64 values: results of PyTorch in float64, and under "distance/..." how far its
own float32 is from them. Tensors of more than 4096 values are stored as their norm and 256 samples.

resnet18 has millions of ReLUs; in some of ten steps one lies within rounding of zero, and who falls on
which side of it decides the distance: PyTorch's own is 1e-7 to 1e-4 as its threads, kernels and layouts
change. In efficientnet it is Adam, which makes steps of one size of gradients that are nearly zero: 4e-6 to
3e-5. So "distance_nhwc/..." of both holds that of float32 in channels_last, the layout that Spur has too.
"""
import functools
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

assert torch.__version__.split("+")[0] == "2.13.0", torch.__version__
torch.use_deterministic_algorithms(__name__ == "__main__")


FULL, SAMPLES = 4096, 256
MASK = (1 << 64) - 1


def seed_of(name):
    """FNV-1a, 64 bits."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def formula(name, count):
    """`count` numbers in [-0.5, 0.5), multiples of 2^-24: splitmix64 of the name's hash plus index."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed_of(name)) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**24 - 0.5


def numbers(name, shape, scale=1.0, offset=0.0):
    """float32 values of the formula times scale plus offset, rounded once."""
    values = formula(name, int(np.prod(shape))) * scale + offset
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def labels(name, shape, classes):
    values = np.floor((formula(name, int(np.prod(shape))) + 0.5) * classes).astype(np.int64)
    return torch.from_numpy(values.reshape(shape))


def sample(tensor):
    """What is stored of a tensor: all of it, or [norm, samples...]."""
    flat = tensor.detach().to(torch.float64).reshape(-1)
    if flat.numel() <= FULL:
        return flat.numpy()
    step = flat.numel() // SAMPLES
    picked = flat[torch.arange(SAMPLES) * step]
    return np.concatenate([[flat.norm().item()], picked.numpy()])


def relative(a, b):
    norm = np.linalg.norm(b)
    return float(np.linalg.norm(a - b) / norm) if norm > 0 else float(np.linalg.norm(a))


def distance(a, b):
    """Relative Euclidean distance; b is the reference. Of large tensors that of the samples and that
    of the norm together."""
    large = b.numel() > FULL
    a, b = sample(a), sample(b)
    if not large:
        return relative(a, b)
    return math.hypot(relative(a[1:], b[1:]), relative(a[:1], b[:1]))


class Store(dict):
    def put(self, name, value):
        self[name] = np.ascontiguousarray(value, dtype=np.float64)

    def write(self, path):
        header, blobs, at = {}, [], 0
        for name, value in self.items():
            data = value.tobytes()
            header[name] = {"dtype": "F64", "shape": list(value.shape), "data_offsets": [at, at + len(data)]}
            blobs.append(data)
            at += len(data)
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
        print(f"{path.name}: {len(self)} tensors, {path.stat().st_size} bytes")


# ---- losses ---------------------------------------------------------------------------------------


def dice(logits, target, smooth=1.0, skip_first=False, ignore=None):
    """The formula of docs/losses.md; logits [rows, k], target labels [rows] or soft [rows, k]."""
    k = logits.shape[1]
    p = torch.sigmoid(logits) if k == 1 else torch.softmax(logits, 1)
    if target.dtype == torch.int64:
        keep = torch.ones_like(target, dtype=torch.bool) if ignore is None else target != ignore
        p, target = p[keep], target[keep]
        target = target[:, None].to(p.dtype) if k == 1 else F.one_hot(target, k).to(p.dtype)
    both, total = (p * target).sum(0), p.sum(0) + target.sum(0)
    score = (2 * both + smooth) / (total + smooth)
    return 1 - (score[1:] if skip_first and k > 1 else score).mean()


def focal(logits, target, gamma=2.0, alpha=None, weight=None, ignore=-100, reduction="mean"):
    """Binary: torchvision's sigmoid_focal_loss; classes: -(1 - p)^gamma log p times the weight."""
    keep = target != ignore
    logits, target = logits[keep], target[keep]
    if logits.shape[1] == 1:
        y = target.to(logits.dtype)
        p, ce = torch.sigmoid(logits[:, 0]), F.binary_cross_entropy_with_logits(logits[:, 0], y, reduction="none")
        loss = ce * (1 - (p * y + (1 - p) * (1 - y))) ** gamma
        if alpha is not None:
            loss = (alpha * y + (1 - alpha) * (1 - y)) * loss
    else:
        logp = F.log_softmax(logits, 1).gather(1, target[:, None])[:, 0]
        loss = -((1 - logp.exp()) ** gamma) * logp
        if weight is not None:
            loss = loss * weight[target]
    return loss.mean() if reduction == "mean" else loss.sum()


def soft_targets(name, rows, k):
    t = numbers(name, (rows, k), 1.0, 0.5).to(torch.float32) + 0.01
    t = t / t.sum(1, keepdim=True)
    return t.to(torch.float32)


def with_ignored(t, index):
    t = t.clone()
    t[::5] = index
    return t


def loss_cases():
    """name: (rows, width, function of (logits, dtype)). The C test has the same list."""
    rows, k = 60, 7
    lab = labels("labels", (rows,), k)
    bits = labels("bits", (rows,), 2)
    ign = with_ignored(lab, 6)
    bign = with_ignored(bits, 9)
    soft = soft_targets("soft", rows, k)
    values = numbers("values", (rows, k), 4.0)
    unit = numbers("unit", (rows, k), 1.0, 0.5)
    unit1 = numbers("unit1", (rows, 1), 1.0, 0.5)
    w = numbers("class_weights", (k,), 1.0, 1.0)
    pw = numbers("pos_weight", (k,), 2.0, 2.0)
    ce, bce = F.cross_entropy, F.binary_cross_entropy_with_logits
    smooth = lambda y, s: y * (1 - s) + s / 2
    return {
        "ce": (k, lambda x, d: ce(x, lab)),
        "ce_sum": (k, lambda x, d: ce(x, lab, reduction="sum")),
        "ce_weight": (k, lambda x, d: ce(x, lab, w.to(d))),
        "ce_ignore": (k, lambda x, d: ce(x, ign, ignore_index=6)),
        "ce_smoothing": (k, lambda x, d: ce(x, lab, label_smoothing=0.1)),
        "ce_all": (k, lambda x, d: ce(x, ign, w.to(d), ignore_index=6, label_smoothing=0.2)),
        "ce_soft": (k, lambda x, d: ce(x, soft.to(d))),
        "ce_soft_sum": (k, lambda x, d: ce(x, soft.to(d), label_smoothing=0.3, reduction="sum")),
        "ce_soft_weight": (k, lambda x, d: ce(x, soft.to(d), w.to(d), label_smoothing=0.1)),
        "bce": (k, lambda x, d: bce(x, unit.to(d))),
        "bce_sum": (k, lambda x, d: bce(x, unit.to(d), reduction="sum")),
        "bce_pos_weight": (k, lambda x, d: bce(x, unit.to(d), pos_weight=pw.to(d))),
        "bce_all": (k, lambda x, d: bce(x, smooth(unit.to(d), 0.2), pos_weight=pw.to(d), reduction="sum")),
        "bce_labels": (1, lambda x, d: bce(x[:, 0], bits.to(d))),
        "bce_ignore": (1, lambda x, d: bce(x[bign != 9, 0], bign[bign != 9].to(d))),
        "bce_smoothing": (1, lambda x, d: bce(x, smooth(unit1.to(d), 0.1))),
        "bce_labels_all": (1, lambda x, d: bce(x[bign != 9, 0], smooth(bign[bign != 9].to(d), 0.1), pos_weight=pw[:1].to(d))),
        "mse": (k, lambda x, d: F.mse_loss(x, values.to(d))),
        "mse_sum": (k, lambda x, d: F.mse_loss(x, values.to(d), reduction="sum")),
        "mae": (k, lambda x, d: F.l1_loss(x, values.to(d))),
        "mae_sum": (k, lambda x, d: F.l1_loss(x, values.to(d), reduction="sum")),
        "huber": (k, lambda x, d: F.huber_loss(x, values.to(d))),
        "huber_delta": (k, lambda x, d: F.huber_loss(x, values.to(d), delta=0.5)),
        "huber_sum": (k, lambda x, d: F.huber_loss(x, values.to(d), reduction="sum", delta=2.0)),
        "dice": (k, lambda x, d: dice(x, lab)),
        "dice_no_smooth": (k, lambda x, d: dice(x, lab, smooth=0.0)),
        "dice_binary_ignore": (1, lambda x, d: dice(x, bign, ignore=9)),
        "dice_binary": (1, lambda x, d: dice(x, bits)),
        "dice_soft": (k, lambda x, d: dice(x, soft.to(d), smooth=0.5)),
        "dice_all": (k, lambda x, d: dice(x, ign, 2.0, True, 6)),
        "focal": (k, lambda x, d: focal(x, lab)),
        "focal_gamma": (k, lambda x, d: focal(x, ign, 1.5, weight=w.to(d), ignore=6)),
        "focal_flat": (k, lambda x, d: focal(x, lab, 0.0, reduction="sum")),
        "focal_binary_ignore": (1, lambda x, d: focal(x, bign, 2.0, 0.75, ignore=9)),
        "focal_binary": (1, lambda x, d: focal(x, bits, 2.0, 0.25)),
        "focal_sum": (1, lambda x, d: focal(x, bits, 3.0, reduction="sum")),
        "bce_dice": (1, lambda x, d: bce(x[:, 0], bits.to(d)) + 0.5 * dice(x, bits)),
        "ce_dice": (k, lambda x, d: ce(x, lab, w.to(d)) + dice(x, lab)),
    }


def make_losses(folder):
    store = Store()
    for name, (k, function) in loss_cases().items():
        results = []
        for dtype in (torch.float64, torch.float32):
            x = numbers("logits/" + name, (60, k), 8.0).to(dtype).requires_grad_()
            loss = function(x, dtype)
            loss.backward()
            results.append((loss, x.grad))
        (l64, g64), (l32, g32) = results
        store.put(name + "/loss", [l64.item()])
        store.put(name + "/gradient", sample(g64))
        store.put(name + "/distance", [distance(l32, l64), distance(g32, g64)])
    store.write(folder / "losses.safetensors")


# ---- optimizers and schedulers --------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": (torch.optim.SGD, dict(lr=0.05)),
    "sgd_decay": (torch.optim.SGD, dict(lr=0.05, weight_decay=0.02)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.02, momentum=0.9, weight_decay=0.01)),
    "sgd_dampening": (torch.optim.SGD, dict(lr=0.05, momentum=0.8, dampening=0.3)),
    "sgd_nesterov": (torch.optim.SGD, dict(lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": (torch.optim.Adam, dict(lr=0.01)),
    "adam_decay": (torch.optim.Adam, dict(lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1)),
    "adam_amsgrad": (torch.optim.Adam, dict(lr=0.01, amsgrad=True)),
    "adamw": (torch.optim.AdamW, dict(lr=0.01)),
    "adamw_decay": (torch.optim.AdamW, dict(lr=0.02, weight_decay=0.3, amsgrad=True)),
    "adagrad": (torch.optim.Adagrad, dict(lr=0.1)),
    "adagrad_all": (torch.optim.Adagrad, dict(lr=0.1, lr_decay=0.05, weight_decay=0.02, initial_accumulator_value=0.1, eps=1e-8)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.005)),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(lr=0.002, alpha=0.9, momentum=0.5, weight_decay=0.02, eps=1e-6)),
    "rmsprop_centered": (torch.optim.RMSprop, dict(lr=0.005, centered=True, momentum=0.3)),
}

# Under OneCycleLR(max_lr, total_steps=50), which moves momentum or beta1, also where there was none.
CYCLED = {
    "cycled_sgd": (torch.optim.SGD, dict(), dict(max_lr=0.05)),
    "cycled_sgd_to_0": (torch.optim.SGD, dict(nesterov=True, momentum=0.5), dict(max_lr=0.05, base_momentum=0.0, pct_start=0.5)),
    "cycled_adam": (torch.optim.Adam, dict(), dict(max_lr=0.01, three_phase=True, pct_start=0.4)),
    "cycled_adamw": (torch.optim.AdamW, dict(amsgrad=True), dict(max_lr=0.02, base_momentum=0.6)),
    "cycled_rmsprop": (torch.optim.RMSprop, dict(alpha=0.9), dict(max_lr=0.005)),
    "cycled_rmsprop_to_0": (torch.optim.RMSprop, dict(centered=True), dict(max_lr=0.005, base_momentum=0.0, pct_start=0.5)),
}


def option_text(options):
    def one(value):
        if isinstance(value, bool):
            return "true" if value else "false"
        return ",".join(map(repr, value)) if isinstance(value, (tuple, list)) else str(value)

    return " ".join(f"{k}={one(v)}" for k, v in options.items())


def run_optimizer(make, options, cycle, dtype):
    """50 steps on 64 values; gradient = formula + 0.1 * value."""
    p = nn.Parameter(numbers("start", (8, 8), 2.0).to(dtype))
    optimizer, trace = make([p], foreach=False, **options), []
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, total_steps=50, **cycle) if cycle else None
    for step in range(50):
        p.grad = numbers(f"gradient/{step}", (8, 8), 2.0).to(dtype) + 0.1 * p.detach()
        optimizer.step()
        if scheduler and step < 49:
            scheduler.step()
        trace.append(p.detach().clone().to(torch.float64).reshape(-1))
    return torch.stack(trace)


def make_optimizers(folder):
    store = Store()
    for name, (make, options, *cycle) in {**OPTIMIZERS, **CYCLED}.items():
        a, b = (run_optimizer(make, options, *(cycle or [None]), dtype) for dtype in (torch.float64, torch.float32))
        store.put(name + "/values", a[[0, 1, 9, 49]].numpy())
        store.put(name + "/distance", [distance(b, a)])
    store.write(folder / "optimizers.safetensors")


def lr_trace(make, monitor=None, base=0.1, momentum=False):
    p = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], lr=base, momentum=0.9)
    scheduler, lrs, momenta = make(optimizer), [], []
    for step in range(50):
        lrs.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step() if monitor is None else scheduler.step(monitor[step])
    return momenta if momentum else lrs


def warm(main, steps, factor):
    S = torch.optim.lr_scheduler
    return lambda o: S.SequentialLR(o, [S.LinearLR(o, factor, total_iters=steps), main(o)], [steps])


def make_schedulers(folder):
    S, store = torch.optim.lr_scheduler, Store()
    monitor = (formula("monitor", 50) * 0.5 + np.exp(-np.arange(50) / 12.0)).tolist()
    falling = [1 / (1 + i) for i in range(20)] + [0.05] * 30
    cases = {
        "constant": lambda o: S.LambdaLR(o, lambda t: 1.0),
        "step": lambda o: S.StepLR(o, 7, 0.5),
        "multistep": lambda o: S.MultiStepLR(o, [5, 20, 21], 0.3),
        "exponential": lambda o: S.ExponentialLR(o, 0.93),
        "polynomial": lambda o: S.PolynomialLR(o, 40, 2.0),
        "cosine": lambda o: S.CosineAnnealingLR(o, 50, 0.001),
        "cosine_short": lambda o: S.CosineAnnealingLR(o, 20),
        "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 10, 1, 0.01),
        "restarts_longer": lambda o: S.CosineAnnealingWarmRestarts(o, 5, 2),
        "one_cycle": lambda o: S.OneCycleLR(o, 0.4, total_steps=50),
        "one_cycle_linear": lambda o: S.OneCycleLR(o, 0.4, total_steps=50, pct_start=0.25, anneal_strategy="linear", base_momentum=0.8, max_momentum=0.9, div_factor=10.0, final_div_factor=100.0),
        "one_cycle_three": lambda o: S.OneCycleLR(o, 0.4, total_steps=50, three_phase=True),
        "warm_step": warm(lambda o: S.StepLR(o, 7, 0.5), 8, 0.2),
        "warm_cosine": warm(lambda o: S.CosineAnnealingLR(o, 40, 0.001), 10, 1.0 / 3),
        "warm_constant": warm(lambda o: S.LambdaLR(o, lambda t: 1.0), 5, 0.1),
        "warm_multistep": warm(lambda o: S.MultiStepLR(o, [5, 20], 0.3), 6, 0.5),
        "warm_exponential": warm(lambda o: S.ExponentialLR(o, 0.93), 7, 1.0 / 3),
        "warm_polynomial": warm(lambda o: S.PolynomialLR(o, 30, 1.5), 9, 1.0 / 3),
        "warm_one_cycle": warm(lambda o: S.OneCycleLR(o, 0.4, total_steps=40), 10, 1.0 / 3),
        "warm_restarts": warm(lambda o: S.CosineAnnealingWarmRestarts(o, 8, 2, 0.01), 4, 1.0 / 3),
    }
    for name, make in cases.items():
        store.put(name, lr_trace(make))
        if "one_cycle" in name:
            store.put(name + "_momentum", lr_trace(make, momentum=True))
    store.put("plateau", lr_trace(lambda o: S.ReduceLROnPlateau(o, "min", 0.5, 3), monitor))
    store.put("plateau_cooldown", lr_trace(lambda o: S.ReduceLROnPlateau(o, "min", 0.2, 2, 0.01, "abs", 4, 0.0005), falling))
    store.put("plateau_max", lr_trace(lambda o: S.ReduceLROnPlateau(o, "max", 0.5, 4), monitor))
    store.write(folder / "schedulers.safetensors")


# ---- nets -------------------------------------------------------------------------------------------


class MLP(nn.Module):
    """The model mlp with layers=2 width=32 activation=tanh."""

    def __init__(self, inputs, classes):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(inputs, 32), nn.Linear(32, 32), nn.Linear(32, classes)

    def forward(self, x):
        return self.head(torch.tanh(self.fc2(torch.tanh(self.fc1(x)))))


class MyNet(nn.Module):
    def __init__(self, size, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 128, 3, padding=1)
        self.fc1 = nn.Linear(128 * (size // 4) ** 2, 512)
        self.fc2 = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = F.relu(self.conv3(F.max_pool2d(x, 2)))
        x = F.relu(self.fc1(F.max_pool2d(x, 2).flatten(1)))
        return self.fc2(x)


class CNN(nn.Module):
    """The model cnn: blocks of convolutions and a pooling, mean or flattening, hidden layer, head."""

    def __init__(self, channels, classes, filters, kernel, convs, norm, activation, pool, flattened, hidden):
        super().__init__()
        self.activation, self.pool, self.flattened = activation, pool, flattened
        self.blocks, inputs = len(filters), channels
        for i, f in enumerate(filters, 1):
            block = nn.Module()
            for j in range(1, convs + 1):
                block.add_module(f"conv{j}", nn.Conv2d(inputs, f, kernel, padding=kernel // 2, bias=not norm))
                block.add_module(f"norm{j}", nn.BatchNorm2d(f) if norm else nn.Identity())
                inputs = f
            self.add_module(f"block{i}", block)
        self.convs, width = convs, inputs * flattened if flattened else inputs
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.head = nn.Linear(hidden or width, classes)

    def forward(self, x):
        for i in range(1, self.blocks + 1):
            block = getattr(self, f"block{i}")
            for j in range(1, self.convs + 1):
                x = self.activation(getattr(block, f"norm{j}")(getattr(block, f"conv{j}")(x)))
            x = self.pool(x, 2)
        x = x.flatten(1) if self.flattened else x.mean((2, 3))
        return self.head(self.activation(self.hidden(x)) if self.hidden else x)


class Block(nn.Module):
    """Two convolutions of the unet, each with norm and activation."""

    def __init__(self, inputs, filters, norm, activation):
        super().__init__()
        self.activation = activation
        make = {"batch": nn.BatchNorm2d, "group": lambda c: nn.GroupNorm(min(8, c), c), "none": None}[norm]
        self.conv1 = nn.Conv2d(inputs, filters, 3, padding=1, bias=norm == "none")
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=norm == "none")
        self.norm1, self.norm2 = (make(filters), make(filters)) if make else (nn.Identity(), nn.Identity())

    def forward(self, x):
        x = self.activation(self.norm1(self.conv1(x)))
        return self.activation(self.norm2(self.conv2(x)))


class UNet(nn.Module):
    """The model unet: down1.., bottom, up1.., merge1.., head; padded bottom and right, then cropped."""

    def __init__(self, channels, classes, base, depth, norm="batch", bilinear=False, activation=F.relu):
        super().__init__()
        self.depth, self.bilinear, inputs = depth, bilinear, channels
        for level in range(1, depth + 1):
            f = base << (level - 1)
            self.add_module(f"down{level}", Block(inputs, f, norm, activation))
            inputs = f
        self.bottom = Block(inputs, base << depth, norm, activation)
        for level in range(depth, 0, -1):
            f = base << (level - 1)
            if not bilinear:
                self.add_module(f"up{level}", nn.ConvTranspose2d(2 * f, f, 2, stride=2))
            self.add_module(f"merge{level}", Block(3 * f if bilinear else 2 * f, f, norm, activation))
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        h, w, step = x.shape[2], x.shape[3], 1 << self.depth
        x, skips = F.pad(x, (0, -w % step, 0, -h % step)), []
        for level in range(1, self.depth + 1):
            x = getattr(self, f"down{level}")(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for level in range(self.depth, 0, -1):
            if self.bilinear:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            else:
                x = getattr(self, f"up{level}")(x)
            x = getattr(self, f"merge{level}")(torch.cat([skips[level - 1], x], 1))
        return self.head(x)[:, :, :h, :w]


class BasicBlock(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = None
        if stride != 1 or inputs != filters:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class BottleneckBlock(nn.Module):
    """torchvision's Bottleneck of residual nets."""

    def __init__(self, inputs, filters, stride, dilation):
        super().__init__()
        outputs = 4 * filters
        self.conv1, self.bn1 = nn.Conv2d(inputs, filters, 1, bias=False), nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.conv3, self.bn3 = nn.Conv2d(filters, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + (self.downsample(x) if self.downsample else x))


class ResNetLevels(nn.Module):
    """The convolutions of residual nets with torchvision's names: features of the stem and of layer1 to layer4.
    small: 3x3 stem without pooling. Layers in `dilated` dilate in place of striding."""

    def __init__(self, blocks=(2, 2, 2, 2), bottleneck=False, small=False, dilated=()):
        super().__init__()
        self.small = small
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False) if small else nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, inputs, dilation = nn.BatchNorm2d(64), 64, 1
        for i, count in enumerate(blocks):
            f, layer = 64 << i, []
            stride, first = 1 if i == 0 or i + 1 in dilated else 2, dilation
            dilation *= 2 if i + 1 in dilated else 1
            for k in range(count):
                how = (1, dilation) if k else (stride, first)
                layer.append(BottleneckBlock(inputs, f, *how) if bottleneck else BasicBlock(inputs, f, how[0]))
                inputs = 4 * f if bottleneck else f
            self.add_module(f"layer{i + 1}", nn.Sequential(*layer))

    def levels(self, x):
        stem = F.relu(self.bn1(self.conv1(x)))
        out, x = [stem], stem if self.small else F.max_pool2d(stem, 3, 2, 1)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            out.append(x)
        return out


class ResNet(ResNetLevels):
    """resnet18 (or deeper) with torchvision's names."""

    def __init__(self, classes, small, blocks=(2, 2, 2, 2), bottleneck=False):
        super().__init__(blocks, bottleneck, small)
        self.fc = nn.Linear(2048 if bottleneck else 512, classes)

    def forward(self, x):
        return self.fc(self.levels(x)[-1].mean((2, 3)))


class UNetResNetBlock(nn.Module):
    def __init__(self, inputs, filters):
        super().__init__()
        self.conv1, self.conv2 = ConvNorm(inputs, filters, 3, act=nn.ReLU), ConvNorm(filters, filters, 3, act=nn.ReLU)


class UNetResNet(nn.Module):
    """Unet of segmentation_models_pytorch on resnet18 or resnet34, with its names."""

    def __init__(self, classes, blocks=(2, 2, 2, 2), filters=256):
        super().__init__()
        self.encoder, self.decoder, inputs = ResNetLevels(blocks), nn.Module(), 512
        self.decoder.blocks = nn.ModuleList()
        for i, skip in enumerate((256, 128, 64, 64, 0)):
            self.decoder.blocks.append(UNetResNetBlock(inputs + skip, filters >> i))
            inputs = filters >> i
        self.segmentation_head = nn.Sequential(nn.Conv2d(inputs, classes, 3, padding=1))

    def forward(self, x):
        *skips, y = self.encoder.levels(x)
        for block, skip in zip(self.decoder.blocks, [*skips[::-1], None]):
            like = x if skip is None else skip
            y = F.interpolate(y, like.shape[2:], mode="nearest")
            y = block.conv2(block.conv1(y if skip is None else torch.cat([y, skip], 1)))
        return self.segmentation_head(y)


class DeepLabV3(nn.Module):
    """torchvision's deeplabv3_resnet50 without auxiliary classifier; stride 16: less dilated, as in the paper."""

    def __init__(self, classes, stride=8, dropout=0.5):
        super().__init__()
        self.backbone = ResNetLevels((3, 4, 6, 3), True, dilated=(3, 4) if stride == 8 else (4,))
        pyramid = nn.Module()
        pyramid.convs = nn.ModuleList([ConvNorm(2048, 256, act=nn.ReLU)])
        for rate in (96 // stride, 192 // stride, 288 // stride):
            conv = nn.Conv2d(2048, 256, 3, padding=rate, dilation=rate, bias=False)
            pyramid.convs.append(nn.Sequential(conv, nn.BatchNorm2d(256), nn.ReLU()))
        pyramid.convs.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), *ConvNorm(2048, 256, act=nn.ReLU)))
        pyramid.project = nn.Sequential(*ConvNorm(1280, 256, act=nn.ReLU), nn.Dropout(dropout))
        self.classifier = nn.ModuleList([pyramid, *ConvNorm(256, 256, 3, act=nn.ReLU), nn.Conv2d(256, classes, 1)])

    def forward(self, x):
        y, pyramid = self.backbone.levels(x)[-1], self.classifier[0]
        mean = F.interpolate(pyramid.convs[-1](y), y.shape[2:], mode="bilinear", align_corners=False)
        y = pyramid.project(torch.cat([*(conv(y) for conv in pyramid.convs[:-1]), mean], 1))
        for module in self.classifier[1:]:
            y = module(y)
        return F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=False)


class Residual(nn.Module):
    """A small residual net, built by hand in golden_nets.c."""

    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 16, 1))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2))
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, filters, kernel=1, stride=1, groups=1, act=None, norm=None):
        conv = nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(filters, **norm or {}), *([act()] if act else []))


def multiple_of_8(channels):
    """torchvision's _make_divisible(channels, 8)."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels else near


class Excite(nn.Module):
    """torchvision's SqueezeExcitation."""

    def __init__(self, channels, inner, act, gate):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, channels, 1)
        self.act, self.gate = act(), gate()

    def forward(self, x):
        return x * self.gate(self.fc2(self.act(self.fc1(x.mean((2, 3), keepdim=True)))))


MOBILENET_NORM = {"eps": 0.001, "momentum": 0.01}


class Bottleneck(nn.Module):
    def __init__(self, inputs, kernel, expanded, filters, excite, act, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == filters
        conv, inner = functools.partial(ConvNorm, norm=MOBILENET_NORM), multiple_of_8(expanded // 4)
        self.block = nn.Sequential(
            *([conv(inputs, expanded, act=act)] if expanded != inputs else []),
            conv(expanded, expanded, kernel, stride, expanded, act),
            *([Excite(expanded, inner, nn.ReLU, nn.Hardsigmoid)] if excite else []), conv(expanded, filters))

    def forward(self, x):
        return x + self.block(x) if self.residual else self.block(x)


# kernel, expanded, filters, excitation, hard swish, stride
MOBILENET_SMALL = [
    (3, 16, 16, 1, 0, 2), (3, 72, 24, 0, 0, 2), (3, 88, 24, 0, 0, 1), (5, 96, 40, 1, 1, 2), (5, 240, 40, 1, 1, 1),
    (5, 240, 40, 1, 1, 1), (5, 120, 48, 1, 1, 1), (5, 144, 48, 1, 1, 1), (5, 288, 96, 1, 1, 2), (5, 576, 96, 1, 1, 1),
    (5, 576, 96, 1, 1, 1)]
MOBILENET_LARGE = [
    (3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2), (5, 120, 40, 1, 0, 1),
    (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1),
    (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1), (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1),
    (5, 960, 160, 1, 1, 1)]


class MobileNetV3(nn.Module):
    """With torchvision's names; small: the first convolution does not halve the picture."""

    def __init__(self, classes, blocks, last, small=False, dropout=0.2):
        super().__init__()
        conv, inputs = functools.partial(ConvNorm, norm=MOBILENET_NORM, act=nn.Hardswish), 16
        layers = [conv(3, 16, 3, 1 if small else 2)]
        for kernel, expanded, filters, excite, hard_swish, stride in blocks:
            act = nn.Hardswish if hard_swish else nn.ReLU
            layers.append(Bottleneck(inputs, kernel, expanded, filters, excite, act, stride))
            inputs = filters
        self.features = nn.Sequential(*layers, conv(inputs, 6 * inputs))
        self.classifier = nn.Sequential(
            nn.Linear(6 * inputs, last), nn.Hardswish(), nn.Dropout(dropout), nn.Linear(last, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


EFFICIENTNET_B0 = [
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1)]


class MBConv(nn.Module):
    def __init__(self, inputs, expansion, kernel, stride, filters, norm, skipped):
        super().__init__()
        expanded, conv = inputs * expansion, functools.partial(ConvNorm, norm=norm)
        silu = functools.partial(nn.SiLU, inplace=True)
        self.adds, self.skipped = stride == 1 and inputs == filters, skipped
        self.block = nn.Sequential(
            *([conv(inputs, expanded, act=silu)] if expansion > 1 else []),
            conv(expanded, expanded, kernel, stride, expanded, silu),
            Excite(expanded, max(1, inputs // 4), silu, nn.Sigmoid), conv(expanded, filters))

    def forward(self, x):
        y = self.block(x)
        if self.adds and self.skipped and self.training:
            y = y * y.new_empty(len(y), 1, 1, 1).bernoulli_(1 - self.skipped).div_(1 - self.skipped)
        return x + y if self.adds else y


class EfficientNet(nn.Module):
    """With torchvision's names; small: the first convolution does not halve the picture."""

    def __init__(self, classes, width, depth, small=False, dropout=0.2, stochastic_depth=0.2, norm=None):
        super().__init__()
        at, every = 0, sum(math.ceil(blocks * depth) for *_, blocks in EFFICIENTNET_B0)
        conv = functools.partial(ConvNorm, norm=norm, act=functools.partial(nn.SiLU, inplace=True))
        inputs = multiple_of_8(32 * width)
        stages = [conv(3, inputs, 3, 1 if small else 2)]
        for expansion, kernel, stride, outputs, blocks in EFFICIENTNET_B0:
            blocks, outputs, stage = math.ceil(blocks * depth), multiple_of_8(outputs * width), []
            for i in range(blocks):
                skipped, at = stochastic_depth * at / every, at + 1
                stage.append(MBConv(inputs, expansion, kernel, 1 if i else stride, outputs, norm, skipped))
                inputs = outputs
            stages.append(nn.Sequential(*stage))
        self.features = nn.Sequential(*stages, conv(inputs, 4 * inputs))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * inputs, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


def fill(model):
    """Weights by the formula: uniform with variance 2 / fan_in, small biases, norms around one. The last norm of
    a bottleneck is small: deep nets whose blocks add as much as they get are noise in float32."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                fan_in = p.shape[1] * math.prod(p.shape[2:])
                p.copy_(numbers(name, tuple(p.shape), 2 * math.sqrt(6.0 / fan_in)))
            elif name.endswith("bn3.weight"):
                p.copy_(numbers(name, tuple(p.shape), 0.1, 0.2))
            elif name.endswith("weight"):
                p.copy_(numbers(name, tuple(p.shape), 0.5, 1.0))
            else:
                p.copy_(numbers(name, tuple(p.shape), 0.2))


# name: (constructor, input shape NCHW or [n, features], label shape, classes)
NETS = {
    "mlp": (lambda: MLP(20, 5), (16, 20), (16,), 5),
    "my_net": (lambda: MyNet(24, 10), (4, 3, 24, 24), (4,), 10),
    "unet": (lambda: UNet(3, 4, 4, 2), (2, 3, 22, 30), (2, 22, 30), 4),
    "unet_bilinear": (lambda: UNet(1, 3, 8, 2, "group", True), (2, 1, 20, 24), (2, 20, 24), 3),
    "unet_plain": (lambda: UNet(3, 2, 4, 1, "none", False, F.elu), (2, 3, 9, 14), (2, 9, 14), 2),
    "cnn": (lambda: CNN(3, 5, [6, 8], 3, 2, True, F.silu, F.max_pool2d, 0, 0), (4, 3, 14, 12), (4,), 5),
    "cnn_plain": (lambda: CNN(3, 4, [6, 8], 5, 1, False, F.gelu, F.avg_pool2d, 9, 10), (4, 3, 12, 12), (4,), 4),
    "residual": (lambda: Residual(6), (4, 3, 16, 16), (4,), 6),
    "resnet18": (lambda: ResNet(6, True), (2, 3, 32, 32), (2,), 6),
    "unet_resnet": (lambda: UNetResNet(3, filters=64), (4, 3, 40, 33), (4, 40, 33), 3),
    "deeplabv3": (lambda: DeepLabV3(3, 16, 0), (4, 3, 33, 50), (4, 33, 50), 3),
    "mobilenet": (lambda: MobileNetV3(6, MOBILENET_SMALL, 1024, True, 0), (4, 3, 40, 48), (4,), 6),
    "efficientnet": (lambda: EfficientNet(6, 1, 1, True, 0, 0), (4, 3, 40, 48), (4,), 6),
}


def run_net(make, shape, label_shape, classes, dtype, layout=torch.contiguous_format):
    """One training forward and backward run, statistics after it, then ten steps of Adam. The rate is
    low, so that no net fits its few samples in ten steps: at a loss near zero gradients are noise."""
    model = make()
    fill(model)
    model = model.to(dtype, memory_format=layout).train()
    x, y = numbers("input", shape, 2.0).to(dtype), labels("labels", label_shape, classes)
    out = {}
    model.eval()
    out["eval"] = model(x)
    model.train()
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-4, foreach=False), []
    for step in range(10):
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out["logits"], out["loss"] = logits.clone(), loss.clone()
            for name, p in model.named_parameters():
                out["gradient/" + name] = p.grad.clone()
            for name, b in model.named_buffers():
                if "running" in name:
                    out["statistic/" + name] = b.clone()
        optimizer.step()
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    for name, p in model.named_parameters():
        out["final/" + name] = p
    return {k: v.detach().to(torch.float64) for k, v in out.items()}


def make_nets(folder):
    for name, (make, shape, label_shape, classes) in NETS.items():
        store = Store()
        a = run_net(make, shape, label_shape, classes, torch.float64)
        b = run_net(make, shape, label_shape, classes, torch.float32)
        for key, value in a.items():
            store.put(key, sample(value))
            store.put("distance/" + key, [distance(b[key], value)])
        if name in ("resnet18", "unet_resnet", "deeplabv3", "efficientnet"):
            c = run_net(make, shape, label_shape, classes, torch.float32, torch.channels_last)
            for key, value in a.items():
                if key.startswith("final/"):
                    store.put("distance_nhwc/" + key, [distance(c[key], value)])
        store.write(folder / f"net_{name}.safetensors")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for make in (make_losses, make_optimizers, make_schedulers, make_nets):
        make(folder)
    total = sum(p.stat().st_size for p in folder.glob("*.safetensors"))
    assert total < 7e6, total
    print(f"{total} bytes in all")


if __name__ == "__main__":
    main()
