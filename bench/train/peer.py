# SPDX-License-Identifier: MIT
"""The PyTorch side: one process per setting, which does what compare.py asks for, line by line.

usage: peer.py NET THREADS SETTING

`train N`, `infer N` and `single N` (one image) are answered by N times in milliseconds, `memory` by the peak resident
set in MiB. Settings:
  default        PyTorch as it comes
  tuned          glibc's allocator told to keep memory (MALLOC_*, set by compare.py)
  channels_last  channels_last
  fused          tuned, fused Adam
  best           channels_last, tuned, fused Adam
  compile        the same, by torch.compile
  optimize       channels_last, tuned, traced, frozen and by torch.jit.optimize_for_inference: inference only
  bf16           as best, with autocast to bfloat16: other numbers
"""
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

script.require("torch")
import torch
import torch.nn.functional as F

from peer_models import make_model

CHANNELS_LAST = {"channels_last", "best", "compile", "optimize", "bf16"}
FUSED = {"fused", "best", "compile", "bf16"}


class Peer:
    def __init__(self, net, setting):
        self.setting = setting
        self.model, shape, label_shape, classes = make_model(net)
        self.x, self.y = torch.randn(shape), torch.randint(classes, label_shape)
        if setting in CHANNELS_LAST:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.x = self.x.contiguous(memory_format=torch.channels_last)
        self.image = self.x[:1].clone(memory_format=torch.preserve_format)
        fused = True if setting in FUSED else None
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4, fused=fused)
        if setting == "compile":
            self.model = torch.compile(self.model)
        self.frozen = {}

    def autocast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.setting == "bf16")

    def train(self):
        self.model.train()
        with self.autocast():
            loss = F.cross_entropy(self.model(self.x), self.y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def infer(self, x):
        self.model.eval()
        with torch.inference_mode(), self.autocast():
            if self.setting != "optimize":
                return self.model(x)
            if len(x) not in self.frozen:
                traced = torch.jit.freeze(torch.jit.trace(self.model, x))
                self.frozen[len(x)] = torch.jit.optimize_for_inference(traced)
            return self.frozen[len(x)](x)

    def answer(self, kind):
        if kind == "train":
            self.train()
        else:
            self.infer(self.x if kind == "infer" else self.image)


def main():
    net, threads, setting = script.words(__doc__, 3, 3)
    torch.set_num_threads(int(threads))
    peer = Peer(net, setting)
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        times = []
        for _ in range(int(words[1])):
            begin = time.monotonic()
            peer.answer(words[0])
            times.append((time.monotonic() - begin) * 1e3)
        print(*times, flush=True)


if __name__ == "__main__":
    script.run(main)
