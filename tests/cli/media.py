# SPDX-License-Identifier: MIT
"""Pictures and sounds that tests make, and the pictures that they look at."""
import math
import struct
import zlib


def png(width, height, pixel, channels=3):
    """A PNG, in colour or grey; pixel(x, y) gives its bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def size_of(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


def png_rows(path, channels=1):
    """The rows of a PNG of 8 bits, grey or in colour, each with the bytes of its pixels one after the other."""
    data, at, packed = path.read_bytes(), 8, b""
    width, height = size_of(path)
    assert data[24:26] == {1: b"\x08\x00", 3: b"\x08\x02"}[channels], "8 bits, grey or in colour"
    width *= channels
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    raw, rows, before = zlib.decompress(packed), [], [0] * width
    for y in range(height):
        filter_, line = raw[y * (width + 1)], list(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            a, b, c = (line[x - channels] if x >= channels else 0), before[x], (before[x - channels] if x >= channels else 0)
            paeth = min((a, b, c), key=lambda v: abs(a + b - c - v))
            line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth)[filter_]) & 255
        rows.append(line)
        before = line
    return rows


def wav(frequency, samples, rate=8000):
    """A WAV file of 16 bits: one tone."""
    tone = (int(9000 * math.sin(2 * math.pi * frequency * i / rate)) for i in range(samples))
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 2 * samples, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16,
                       b"data", 2 * samples) + struct.pack("<%dh" % samples, *tone)
