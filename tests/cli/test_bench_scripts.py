# SPDX-License-Identifier: MIT
"""The scripts of bench/ say in one line what they lack, and leave with 2; what a program that failed said, and 1."""
import sys

from harness import SOURCE, Cli, main

BARE = (sys.executable, "-I", "-S", "-B")  # a Python without any package
BENCH = SOURCE / "bench"


class BenchScripts(Cli):
    def one_line(self, *command, status=2, python=BARE):
        result = self.run_program(*python, *command, status=status)
        self.assertEqual(len(result.err.splitlines()), 1, result)
        self.assertNotIn("Traceback", result.err)
        return result.err

    def test_no_such_program(self):
        for script in "engine/compare.py", "kernels/compare.py", "train/compare.py":
            self.assertIn("nowhere", self.one_line(BENCH / script, "nowhere"))
        self.assertIn("nowhere: no such program", self.one_line(BENCH / "recipes/run.py", "train", "nowhere", "data"))
        self.assertIn("nowhere", self.one_line(BENCH / "train/busy.py", "nowhere", "--busy", "0"))
        for script in "log/read.py", "log/write.py":
            self.assertIn("nowhere/bench/bench_log", self.one_line(BENCH / script, "--build", "nowhere"))

    def test_not_a_program(self):
        (self.dir / "text").write_text("words")
        for path in "text", ".":
            self.assertIn("no such program", self.one_line(BENCH / "engine/compare.py", f"./{path}"))

    def test_no_package(self):
        for script in "engine/compare.py", "kernels/compare.py":
            self.assertIn("has no torch", self.one_line(BENCH / script, "/bin/true"))
        self.assertIn("has no numpy, torch, PIL", self.one_line(BENCH / "recipes/peer.py", "mnist", "data", "1"))
        self.assertIn("has no torch, torchvision, PIL", self.one_line(BENCH / "data/peer.py", "data"))
        self.assertIn("has no torch", self.one_line(BENCH / "train/peer.py", "unet", "1", "default"))

    def test_wrong_words(self):
        (self.dir / "bad.json").write_text("no json")
        (self.dir / "bench_kernels").symlink_to("/bin/true")
        diff = BENCH / "engine/compare.py", "--diff", "bad.json"
        self.assertIn("found 'no json', expected JSON", self.one_line(*diff, "bad.json"))
        self.assertIn("missing.json: No such file", self.one_line(BENCH / "recipes/run.py", "report", "missing.json"))
        self.assertIn("'sky' is none of", self.one_line(BENCH / "train/compare.py", ".", "--nets", "unet,sky"))
        self.assertIn("'sky' is none of", self.one_line(BENCH / "recipes/run.py", "train", "/bin/true", "data",
                                                        "--recipes", "sky"))
        self.assertIn("usage: peers.py", self.one_line(BENCH / "log/peers.py", "torch"))

    def test_program_fails(self):
        self.assertIn("mnist, seed 1", self.one_line(BENCH / "recipes/run.py", "train", "/bin/false", "data", "--recipes",
                                                     "mnist", "--seeds", "1", status=1))
        self.assertIn("/bin/false: exit status 1",
                      self.one_line(BENCH / "train/busy.py", "/bin/false", "--busy", "0", status=1))


if __name__ == "__main__":
    main()
