#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the corpus of fuzz_safetensors and fuzz_checkpoint.

usage: make_weights_corpus.py [CORPUS_FOLDER]
"""
import json
import struct
import sys
from pathlib import Path

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "corpus"


def tensors(name, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    length = len(text) if length is None else length
    (folder / "safetensors").mkdir(parents=True, exist_ok=True)
    (folder / "safetensors" / name).write_bytes(struct.pack("<Q", length) + text + data)


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def state(name, text, first=b"\1"):
    (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint" / name).write_bytes(first + text.encode())


def main():
    numbers = bytes(range(48))
    tensors("all_types", {
        "__metadata__": {"format": "pt"}, "a": entry("F32", [2, 2], 0, 16), "b": entry("F64", [1], 16, 24),
        "c": entry("F16", [4], 24, 32), "d": entry("BF16", [2, 2, 1], 32, 40), "e": entry("I64", [], 40, 48)}, numbers)
    tensors("empty", {})
    tensors("no_values", {"a": entry("F32", [0, 3], 0, 0)})
    tensors("too_long", {"a": entry("F32", [4], 0, 16)}, numbers[:16], 1 << 40)
    tensors("huge_shape", {"a": entry("F32", [1 << 40, 1 << 40], 0, 16)}, numbers[:16])
    tensors("overlap", {"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)}, numbers[:12])
    tensors("gap", {"a": entry("F32", [2], 8, 16)}, numbers[:16])
    tensors("twice", b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', numbers[:8])
    tensors("nested", b'{"a":' * 1100)
    tensors("numbers", b'{"a":{"dtype":"F32","shape":[1e400,-0.5],"data_offsets":[1e17,"x"]}}')
    tensors("escapes", b'{"\\u0000\\ud800":{"dtype":"F\\u0033","shape":[],"data_offsets":[0,4]}}', numbers[:4])
    head = "spur checkpoint 1\nstep 1200\n"
    state("whole", head + "file weights.safetensors 379 1a2b3c4d\nvalue optimizer.name adam\nvalue text a\\nb\\\\c\n")
    state("plain", head + "end 00000000\n", b"\0")
    state("no_step", "spur checkpoint 1\nvalue a b\n")
    state("twice", head + "value a b\nvalue a c\n")
    state("escape", head + "value a b\\q\nvalue c \\\n")
    state("paths", head + "file ../../etc/passwd 1 00000000\nfile .x 1 00000000\n")
    state("files", head + "".join(f"file f{i} 1 00000000\n" for i in range(12)))
    state("numbers", "spur checkpoint 1\nstep 99999999999999999999999\nfile a -1 xyz\n")


if __name__ == "__main__":
    main()
