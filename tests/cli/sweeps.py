# SPDX-License-Identifier: MIT
"""What tests of sweeps share: a program whose trials take no time, and the INI file of a sweep of it."""
import csv
import json
import sys

from harness import Cli

# A program that writes a real event file with nothing but the standard library: a scalar per epoch.
PROGRAM = r"""
import math, os, struct, sys, time
def crc(data):
    c = 0xffffffff
    for b in data:
        c ^= b
        for _ in range(8): c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
    c ^= 0xffffffff
    return ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff
def record(data):
    n = struct.pack("<Q", len(data))
    return n + struct.pack("<I", crc(n)) + data + struct.pack("<I", crc(data))
def event(step, value):
    v = b"\x0a\x08val_loss\x15" + struct.pack("<f", value)
    s = b"\x0a" + bytes([len(v)]) + v
    return b"\x09" + struct.pack("<d", 1.0) + b"\x10" + bytes([step]) + b"\x2a" + bytes([len(s)]) + s
lr, seed, epochs, pause = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
if lr > 5: sys.exit("the rate is too large")
path = os.path.join(os.environ["SPUR_RUN_DIR"], "events.out.tfevents.0000000001.test")
with open(path, "wb", 0) as f:
    f.write(record(b"\x09" + struct.pack("<d", 1.0) + b"\x1a\x0dbrain.Event:2"))
    for e in range(1, epochs + 1):
        f.write(record(event(e, abs(math.log10(lr) + 2) + 1 / e + seed / 1000)))
        time.sleep(pause)
"""

INI = """
[run]
name = %(name)s
logdir = logs
[program]
command = %(python)s program.py {lr} {seed} {epochs} {pause}
[param]
lr = 0.1
epochs = 3
pause = 0
[sweep]
param.lr = %(lr)s
seeds = %(seeds)s
%(more)s
"""


class SweepCli(Cli):
    def setUp(self):
        super().setUp()
        (self.dir / "program.py").write_text(PROGRAM)

    def ini(self, name="s", lr="1e-1, 1e-2, 1e-3", seeds="1..2", more=""):
        text = INI % {"name": name, "python": sys.executable + " -S -E", "lr": lr, "seeds": seeds, "more": more}
        (self.dir / (name + ".ini")).write_text(text)
        return name + ".ini"

    def refused_at(self, key, result):
        """The message begins with the place of `key = ...` in s.ini."""
        lines = (self.dir / "s.ini").read_text().splitlines()
        number = 1 + max(i for i, line in enumerate(lines) if line.startswith(key + " = "))
        self.assertRegex(result.err, r"^spur sweep: s\.ini:%d:\d+: " % number)

    def results(self, name="s"):
        with open(self.dir / "logs" / name / "results.csv", newline="") as f:
            return list(csv.DictReader(f))

    def ends(self, name="s"):
        """Names of trials whose end stands in a journal, once per end; one that was stopped or killed is still open."""
        found = []
        for path in (self.dir / "logs" / name / "journal").glob("*.jsonl"):
            for line in path.read_text().splitlines():
                event = json.loads(line)
                if event["event"] == "end" and event["state"] not in ("queued", "stale", "interrupted"):
                    found.append(event["trial"])
        return found
