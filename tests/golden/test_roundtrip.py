#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our safetensors in PyTorch and PyTorch's in ours: the same logits, both ways.

usage: test_roundtrip.py PROGRAM

Exit status 77, with the reason, where PyTorch cannot be imported. SPUR_TORCH_PYTHON may name an
interpreter that can.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
except ImportError:
    other = os.environ.get("SPUR_TORCH_PYTHON")
    if other and not os.environ.get("SPUR_TORCH_TRIED"):
        os.environ["SPUR_TORCH_TRIED"] = "1"
        os.execv(other, [other, *sys.argv])
    print("skipped: no PyTorch here (set SPUR_TORCH_PYTHON to an interpreter that has it)")
    sys.exit(77)

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import make_golden  # noqa: E402

NUMPY = {"F32": np.float32, "I64": np.int64}


def read(path):
    """A safetensors file as a state dict, by the format's definition."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    out = {}
    for name, t in header.items():
        begin, end = (8 + length + o for o in t["data_offsets"])
        out[name] = torch.from_numpy(np.frombuffer(data[begin:end], NUMPY[t["dtype"]]).reshape(t["shape"]).copy())
    return out


def write(path, state):
    header, blobs, at = {}, [], 0
    for name, value in state.items():
        value = value.detach().contiguous()
        data = value.numpy().tobytes()
        kind = "I64" if value.dtype == torch.int64 else "F32"
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [at, at + len(data)]}
        blobs.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def logits_of(model, shape):
    model.eval()
    with torch.no_grad():
        return model(make_golden.numbers("input", shape, 2.0)).numpy()


def compare(net, way, ours, theirs):
    distance = np.linalg.norm(ours - theirs.reshape(-1)) / np.linalg.norm(theirs)
    print(f"{net}, {way}: logits differ by {distance:.2g}")
    assert distance <= 1e-5, (net, way, distance)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as temporary:
        weights, logits = Path(temporary) / "w.safetensors", Path(temporary) / "logits.f32"
        for net, (make, shape, _, _) in make_golden.NETS.items():
            subprocess.run([program, net, weights, logits], check=True)
            model = make()
            model.load_state_dict(read(weights), strict=True)
            compare(net, "ours to PyTorch", np.fromfile(logits, np.float32), logits_of(model, shape))
            torch.manual_seed(1)
            model = make().train()
            model(make_golden.numbers("input", shape, 2.0))  # running statistics of its own
            write(weights, model.state_dict())
            subprocess.run([program, net, weights, logits, "load"], check=True)
            compare(net, "PyTorch to ours", np.fromfile(logits, np.float32), logits_of(model, shape))


if __name__ == "__main__":
    main()
