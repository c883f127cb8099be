#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes transforms.txt: what torchvision makes of one small picture, and a log-mel picture by torch.

usage: make_transforms.py > transforms.txt

Made with torchvision 0.14.1 and PyTorch 2.13.0. The picture, the mask and the sound come from the
formulas below, which tests/unit/data/test_golden.c repeats. Every block is a line
`name height width channels` and then the values, a row of the picture on each line.
"""
import math

import torch
import torchvision.transforms.functional as F

BILINEAR, NEAREST = F.InterpolationMode.BILINEAR, F.InterpolationMode.NEAREST
H, W = 10, 13


def picture():
    y, x, c = torch.meshgrid(torch.arange(H), torch.arange(W), torch.arange(3), indexing="ij")
    values = (y * 37 + x * 11 + c * 59 + (x * y) % 17 * 13) % 256
    return (values.to(torch.float32) / 255).permute(2, 0, 1)


def mask():
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return ((y // 3 + x // 4) % 5).to(torch.uint8)[None]


def show(name, tensor):
    c, h, w = tensor.shape
    print(name, h, w, c)
    for row in tensor.permute(1, 2, 0).reshape(h, w * c).tolist():
        print(" ".join(f"{v:.6g}" for v in row))


def resize(img, h, w):
    return torch.nn.functional.interpolate(img[None].double(), (h, w), mode="bilinear",
                                           align_corners=False, antialias=True)[0]


def filled(op, img, fill):
    """op with `fill` outside of the picture. torchvision's own fill weighs border pixels twice."""
    return op(img - fill) + fill


def melspec():
    rate, window, hop, bands, floor, n = 8000, 200, 100, 16, -80.0, 1500
    t = torch.arange(n, dtype=torch.float64) / rate
    sound = 0.5 * torch.sin(2 * math.pi * 440 * t) + 0.2 * torch.sin(2 * math.pi * (900 + 1200 * t) * t)
    hann = torch.hann_window(window, periodic=True, dtype=torch.float64)
    size = 256
    # torch.stft centres a short window in the FFT; the power spectrum does not see that shift.
    padded = torch.nn.functional.pad(sound[None, None], (window // 2, window // 2), mode="reflect")[0, 0]
    frames = [padded[i * hop:i * hop + window] * hann / hann.sum() for i in range(1 + n // hop)]
    power = torch.fft.rfft(torch.stack(frames), size).abs() ** 2
    mel = lambda f: 2595 * math.log10(1 + f / 700)
    points = [700 * (10 ** (m / 2595) - 1) for m in
              torch.linspace(mel(20), mel(rate / 2), bands + 2, dtype=torch.float64).tolist()]
    bins = torch.arange(size // 2 + 1, dtype=torch.float64) * rate / size
    rows = []
    for b in range(bands):
        left, centre, right = points[b:b + 3]
        weights = torch.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)).clamp(min=0)
        rows.append((power * weights).sum(1))
    db = 10 * torch.log10(torch.stack(rows[::-1]) * 4 + 1e-20)
    return (1 - db / floor).clamp(0, 1)[None]


def main():
    img = picture()
    show("picture", img)
    show("resize_down", resize(img, 6, 7))
    show("resize_up", resize(img, 17, 20))
    show("resize_mixed", resize(img, 4, 20))
    show("resize_box", resize(img[:, 2:9, 3:8], 8, 8))
    show("hflip", F.hflip(img))
    show("vflip", F.vflip(img))
    show("rotate", filled(lambda t: F.rotate(t, 10, BILINEAR), img, 0.5))
    show("rotate_back", F.rotate(img, -33, BILINEAR))
    show("affine", filled(lambda t: F.affine(t, 15, [2, -1], 1.2, [8.0, 0.0], BILINEAR), img, 0.25))
    show("affine_shear", F.affine(img, -7, [0, 0], 0.8, [5.0, -12.0], BILINEAR))
    start = [[0, 0], [W - 1, 0], [W - 1, H - 1], [0, H - 1]]
    end = [[2, 1], [W - 2, 0], [W - 3, H - 2], [1, H - 1]]
    show("perspective", F.perspective(img, start, end, BILINEAR))
    show("brightness", F.adjust_brightness(img, 1.3))
    show("contrast", F.adjust_contrast(img, 0.6))
    show("saturation", F.adjust_saturation(img, 1.7))
    show("hue", F.adjust_hue(img, 0.2))
    show("hue_back", F.adjust_hue(img, -0.35))
    show("blur", F.gaussian_blur(img, [5, 5], [1.3, 1.3]))
    show("crop_constant", F.crop(F.pad(img, [3, 3, 3, 3], 0, "constant"), 1, 5, H, W))
    show("crop_reflect", F.crop(F.pad(img, [3, 3, 3, 3], 0, "reflect"), 6, 0, H, W))
    show("crop_edge", F.crop(F.pad(img, [3, 3, 3, 3], 0, "edge"), 0, 6, H, W))
    show("mask_rotate", F.rotate(mask(), 30, NEAREST, fill=[9]).float())
    show("melspec", melspec())


if __name__ == "__main__":
    main()
