# SPDX-License-Identifier: MIT
"""bench/log's program does the work that it measures: every record is in the file, within the queue's bound."""
import unittest

from harness import BUILD, Cli, main

BENCH = BUILD / "bench" / "bench_log"


@unittest.skipUnless(BENCH.exists(), "the benchmarks are not built")
class BenchLog(Cli):
    def counts(self, directory):
        run = self.spur("inspect", "--json", directory).json["runs"][0]
        self.assertEqual(run["damage"], 0)
        return {t["tag"]: t["count"] for t in run["tags"]}

    def test_scalars(self):
        for threads in "1", "8":
            out = self.run_program(BENCH, "scalars", "50000", "s" + threads, threads).json
            self.assertEqual(sum(self.counts("s" + threads).values()), 50000)
            self.assertLess(out["allocations"], 100)
            self.assertLessEqual(out["queue_peak"], 8 << 20)
            self.assertGreater(out["rate"], 0)

    def test_calls(self):
        out = self.run_program(BENCH, "calls", "20000", "calls").json
        self.assertEqual(sum(self.counts("calls").values()), 20000)
        self.assertLessEqual(out["median_ns"], out["p99_ns"])

    def test_limit_writes_the_same_file(self):
        self.run_program(BENCH, "limit", "30000", "limit")
        self.assertEqual(sum(self.counts("limit").values()), 30000)

    def test_mix(self):
        self.run_program(BENCH, "mix", "60", "mix")
        counts = self.counts("mix")
        self.assertEqual((counts["values"], counts["image"], counts["train/loss"]), (60, 3, 60))

    def test_usage(self):
        self.run_program(BENCH, status=2)
        self.run_program(BENCH, "scalars", "0", "x", status=2)


if __name__ == "__main__":
    main()
