# SPDX-License-Identifier: MIT
"""examples/read_events, and spur on what examples/log_everything writes: our writer read by our reader."""
import math
import struct
import subprocess
import unittest

from harness import BUILD, Cli, main

READ = BUILD / "examples" / "read_events"
LOG = BUILD / "examples" / "log_everything"
FILE = "logs/old/events.out.tfevents.1700000000.host.1.0"


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


@unittest.skipUnless(READ.exists() and LOG.exists(), "the examples are not built")
class ReadExamples(Cli):
    def test_read_events(self):
        self.copy("tests/golden/events", "logs")
        out = self.run_program(READ, "logs").out
        self.assertIn("old  loss: 5 points, lowest 0.0625 at step 4, highest 1 at step 0\n", out)
        self.assertIn("nowhere", self.run_program(READ, "nowhere", status=1).err)
        self.run_program(READ, status=2)

    def test_following(self):
        """A file that grows while it is followed; its last record arrives in two pieces."""
        self.copy("tests/golden/events", "logs")
        whole = (self.dir / FILE).read_bytes()
        self.write(FILE, whole[:700])
        process = subprocess.Popen([str(READ), "logs/old", "--follow", "100000"], cwd=self.dir, stdout=subprocess.PIPE,
                                   text=True)
        self.assertIn("loss  step 0: 1", process.stdout.readline())
        with open(self.dir / FILE, "ab") as f:
            f.write(whole[700:])
        missing = {"loss  step 4: 0.0625\n", "picture  step 4: 1 images of 4 x 3\n"}
        while missing:
            line = process.stdout.readline()
            self.assertTrue(line, missing)  # it has ended
            missing = {words for words in missing if words not in line}
        process.kill()
        process.communicate()
        self.assertIn("picture  step 4", self.run_program(READ, "logs/old", "--follow", "1").out)

    def test_own_writer(self):
        self.run_program(LOG, "out")
        shown = self.spur("inspect", "out", "--json").json
        tags = {t["tag"]: t for run in shown["runs"] for t in run["tags"]}
        self.assertEqual({t: tags[t]["kind"] for t in ("my_scalar", "my_hist", "my_images", "my_audio")},
                         {"my_scalar": "scalar", "my_hist": "histogram", "my_images": "image", "my_audio": "audio"})
        self.assertTrue(all(t["falling"] == t["foreign"] == 0 for t in tags.values()))
        rows = self.spur("export", "out", "--tag", "my_scalar").rows
        self.assertEqual([int(r["step"]) for r in rows], list(range(1, 1001)))
        for row in rows:
            self.assertAlmostEqual(float(row["value"]), single(math.sin(int(row["step"]) / 10)), delta=2e-7)


if __name__ == "__main__":
    main()
