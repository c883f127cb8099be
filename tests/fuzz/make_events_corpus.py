#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds in corpus/events from tests/golden/events: whole files, single payloads, all payloads of a file.

The inputs found_* there were added by fuzzing.
"""
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    corpus = HERE / "corpus" / "events"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted((HERE.parent / "golden" / "events").rglob("*tfevents*"))):
        data = path.read_bytes()
        (corpus / ("file_%d" % number)).write_bytes(b"\0" + data)
        at, payloads = 0, []
        while at < len(data):
            size = struct.unpack_from("<Q", data, at)[0]
            payloads.append(data[at + 12 : at + 12 + size])
            at += 16 + size
        for i, payload in enumerate(payloads):
            if len(payload) < 1000:
                (corpus / ("payload_%d_%02d" % (number, i))).write_bytes(b"\1" + payload)
        run = b"".join(struct.pack("<H", len(p)) + p for p in payloads if len(p) < 1000)
        (corpus / ("run_%d" % number)).write_bytes(b"\2" + run)


if __name__ == "__main__":
    main()
