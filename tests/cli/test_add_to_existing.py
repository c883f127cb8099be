# SPDX-License-Identifier: MIT
"""examples/add_to_existing: the same program without and with a log, at most ten added lines, as the README shows."""
import difflib
import unittest

from harness import BUILD, SOURCE, Cli, main

BEFORE, AFTER = BUILD / "examples" / "without_logging", BUILD / "examples" / "with_logging"
FOLDER = SOURCE / "examples" / "add_to_existing"


@unittest.skipUnless(BEFORE.exists() and AFTER.exists(), "the examples are not built")
class AddToExisting(Cli):
    def changed(self):
        before, after = ((FOLDER / f).read_text().splitlines() for f in ("before.c", "after.c"))
        lines = list(difflib.ndiff(before, after))
        return [l[2:] for l in lines if l[0] == "+"], [l[2:] for l in lines if l[0] == "-"]

    def test_ten_lines(self):
        added, removed = self.changed()
        self.assertEqual(removed, [])
        self.assertLessEqual(len(added), 10)
        readme = (SOURCE / "README.md").read_text()
        for line in filter(None, added):
            self.assertIn("\n+" + line + "\n", readme)

    def test_same_output_and_a_log(self):
        before, after = self.run_program(BEFORE), self.run_program(AFTER)
        self.assertEqual(before.out, after.out)
        self.assertIn("accuracy", before.out)
        runs = list((self.dir / "my_logs").iterdir())
        self.assertEqual(len(runs), 1)
        self.assertRegex(runs[0].name, r"^run_\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d$")
        tags = self.spur("inspect", "--json", "my_logs").json["runs"][0]["tags"]
        self.assertEqual({t["tag"]: t["count"] for t in tags}, {"epoch_loss": 300, "epoch_accuracy": 300, "w1": 300})
        self.assertEqual({t["kind"] for t in tags}, {"scalar", "histogram"})

    def test_without_a_place_to_log(self):
        """The program runs on where no log can be written."""
        self.write("my_logs", "a file where the directory should be")
        self.assertEqual(self.run_program(AFTER).out, self.run_program(BEFORE).out)


if __name__ == "__main__":
    main()
