# SPDX-License-Identifier: MIT
"""The PyTorch side's nets: the same layers as ours, with PyTorch's own initial weights."""
import importlib.util
from pathlib import Path

import torch.nn as nn

spec = importlib.util.spec_from_file_location(
    "make_golden", Path(__file__).resolve().parents[2] / "tests" / "golden" / "make_golden.py")
golden = importlib.util.module_from_spec(spec)
spec.loader.exec_module(golden)


class MyNet(golden.MyNet):
    """As in the golden files, with its dropout."""

    def forward(self, x):
        relu, pool = nn.functional.relu, nn.functional.max_pool2d
        x = relu(self.conv2(relu(self.conv1(x))))
        x = relu(self.conv3(pool(x, 2)))
        x = relu(self.fc1(pool(x, 2).flatten(1)))
        return self.fc2(nn.functional.dropout(x, 0.5, self.training))


def vgg16():
    layers, channels = [], 3
    for f in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        layers += [nn.Conv2d(channels, f, 3, padding=1), nn.ReLU(inplace=True)] if f else [nn.MaxPool2d(2)]
        channels = f or channels
    head = [nn.Linear(25088, 4096), nn.ReLU(True), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(),
            nn.Linear(4096, 1000)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def make_model(name):
    """Model, input shape, label shape, classes."""
    if name == "my_net":
        return MyNet(48, 10), (64, 3, 48, 48), (64,), 10
    if name == "unet":
        return golden.UNet(3, 2, 32, 4), (4, 3, 128, 128), (4, 128, 128), 2
    if name == "unet_resnet34":
        return golden.UNetResNet(2, (3, 4, 6, 3)), (4, 3, 256, 256), (4, 256, 256), 2
    if name == "deeplabv3":
        return golden.DeepLabV3(2), (4, 3, 128, 128), (4, 128, 128), 2
    if name == "mobilenet":
        model = golden.MobileNetV3(1000, golden.MOBILENET_LARGE, 1280)
    elif name == "efficientnet":
        model = golden.EfficientNet(1000, 1, 1)
    elif name == "resnet18":
        model = golden.ResNet(1000, False)
    elif name == "resnet50":
        model = golden.ResNet(1000, False, (3, 4, 6, 3), True)
    else:
        model = vgg16()
    return model, (16, 3, 224, 224), (16,), 1000
