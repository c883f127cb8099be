#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds in corpus/{image,idx,wav,csv}; needs Pillow for the JPEGs."""
import io
import struct
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent / "corpus"


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(kind, depth, stride, extra=b"", interlace=0):
    rows = b"".join(b"\0" + bytes((y * 37 + i * 11) % 256 for i in range(stride)) for y in range(4))
    header = struct.pack(">IIBBBBB", 5, 4, depth, kind, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def images():
    palette = chunk(b"PLTE", bytes(range(48)))
    kinds = {"grey1": (0, 1, 1), "grey4": (0, 4, 3), "grey8": (0, 8, 5), "grey16": (0, 16, 10), "rgb": (2, 8, 15),
             "rgb16": (2, 16, 30), "alpha": (4, 8, 10), "rgba": (6, 8, 20)}
    for name, args in kinds.items():
        put("image", name, b"\0" + png(*args))
    put("image", "palette", b"\0" + png(3, 4, 3, palette))
    put("image", "palette_labels", b"\3" + png(3, 4, 3, palette + chunk(b"tRNS", b"\0\x80")))
    put("image", "grey16_labels", b"\3" + png(0, 16, 10))
    put("image", "mended", b"\2" + png(2, 8, 15)[:-20])
    for mode, name in (("L", "grey"), ("RGB", "rgb")):
        for progressive in (False, True):
            out = io.BytesIO()
            picture = Image.radial_gradient("L").resize((17, 9)).convert(mode)
            picture.save(out, "JPEG", progressive=progressive)
            put("image", f"jpeg_{name}_{int(progressive)}", b"\0" + out.getvalue())


def sounds():
    samples = bytes(range(64))
    for kind, channels, bits in ((1, 1, 8), (1, 2, 16), (1, 1, 24), (1, 1, 32), (3, 1, 32), (3, 1, 64)):
        form = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * channels * bits // 8, channels * bits // 8, bits)
        body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"LIST" + struct.pack("<I", 3) + b"abc\0"
        body += b"data" + struct.pack("<I", 64) + samples
        put("wav", f"{kind}_{channels}_{bits}", b"RIFF" + struct.pack("<I", len(body)) + body)


def main():
    images()
    sounds()
    put("idx", "labels", b"\0\0\0\x08\x01" + struct.pack(">I", 3) + b"abc")
    put("idx", "pictures", b"\2\0\0\x08\x03" + struct.pack(">III", 2, 2, 3) + bytes(12))
    put("csv", "plain", b"\0a,b,c\n1,2,3\n4,5,6\n")
    put("csv", "quoted", b'\2"a;""b"";";c\r\n\r\n1;"x\ny"\r\n')
    put("csv", "bom", b"\3\xef\xbb\xbfa\tb\n1\t\n")


if __name__ == "__main__":
    main()
