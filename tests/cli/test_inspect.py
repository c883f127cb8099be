# SPDX-License-Identifier: MIT
"""spur inspect: what it shows of whole, cut, damaged, odd and missing event files."""
import os
import struct
import unittest

from harness import Cli, main

EVENTS = "tests/golden/events"
OLD = "old/events.out.tfevents.1700000000.host.1.0"
NEW = "new/events.out.tfevents.1700000000.host.1.0.v2"


def records(data):
    """Offsets of the records in a file's bytes."""
    at, found = 0, []
    while at < len(data):
        found.append(at)
        at += 16 + struct.unpack_from("<Q", data, at)[0]
    return found


class Inspect(Cli):
    def setUp(self):
        super().setUp()
        self.copy(EVENTS, "logs")

    def run_named(self, json, name):
        return next(r for r in json["runs"] if r["run"] == name)

    def test_json(self):
        shown = self.spur("inspect", "logs", "--json").json
        self.assertEqual([r["run"] for r in shown["runs"]], ["new", "odd/deep er", "old"])
        self.assertEqual(shown["problems"], [])
        new = self.run_named(shown, "new")
        tags = {t["tag"]: t for t in new["tags"]}
        self.assertEqual({k: tags["loss"][k] for k in ("kind", "count", "first_step", "last_step", "description")},
                         {"kind": "scalar", "count": 10, "first_step": 0, "last_step": 9, "description": "how *wrong*"})
        self.assertEqual([t["kind"] for t in new["tags"]],
                         ["graph", "scalar", "scalar", "histogram", "histogram", "histogram", "image", "audio", "audio",
                          "text", "hparams", "hparams", "pr_curve", "mesh", "mesh", "mesh", "layout", "graph"])
        self.assertEqual((new["events"], new["starts"], new["damage"], new["has_version"]), (43, 1, 0, True))
        self.assertEqual(new["files"][0]["size"], (self.dir / "logs" / NEW).stat().st_size)
        odd = {t["tag"]: t for t in self.run_named(shown, "odd/deep er")["tags"]}
        self.assertIn("nul\0inside", odd)
        self.assertIn("Straße/größe 😀", odd)
        self.assertEqual((odd["restarted"]["falling"], odd["restarted"]["repeated"]), (1, 1))
        self.assertEqual((odd["steps"]["min_step"], odd["steps"]["max_step"]), (-(2**63), 2**63 - 1))
        self.assertEqual(odd["changes"]["foreign"], 1)

    def test_for_people(self):
        out = self.spur("inspect", "logs/old").out
        self.assertIn(".\n  1 file, 1.7 kB, 17 events, 2023-11-14 22:13:20 to 2023-11-14 22:13:24\n", out)
        self.assertRegex(out, r"(?m)^  scalar    loss +5 +0 +4$")
        self.assertNarrow(out)

    def test_one_file(self):
        shown = self.spur("inspect", "logs/" + OLD, "--json").json
        self.assertEqual([r["run"] for r in shown["runs"]], ["."])

    def test_on_a_terminal(self):
        for columns in (60, 80, 120):
            shown = self.on_terminal("inspect", "logs/new", columns=columns)
            self.assertNarrow(shown, columns)
        shown = self.on_terminal("inspect", "logs/odd", columns=80)
        self.assertNarrow(shown, 80)
        self.assertRegex(shown, r"long/x+\.\.\.x+")
        self.assertNotIn("\x1b", shown)

    def test_wide_characters_keep_the_columns(self):
        """Two columns for East Asian characters and emoji: the counts stay below each other."""
        lines = [line for line in self.spur("inspect", "logs/odd").out.splitlines() if line.startswith("  scalar")]
        emoji = next(line for line in lines if "😀" in line)
        plain = next(line for line in lines if "a//b" in line)
        self.assertEqual(len(emoji) + 1, len(plain))

    def test_hostile_names(self):
        """Control characters of a tag do not reach the terminal."""
        out = self.spur("inspect", "logs/odd").out
        self.assertIn(r"line\nbreak", out)
        self.assertIn(r"nul\x00inside", out)

    def test_cut_anywhere(self):
        """A file that ends inside a record is being written: not an error."""
        data = (self.dir / "logs" / OLD).read_bytes()
        starts = records(data)
        for size in (0, 1, starts[1], starts[3] + 5, starts[-1] + 12, len(data) - 1):
            (self.dir / "logs" / OLD).write_bytes(data[:size])
            r = self.spur("inspect", "logs/old", "--json").json["runs"][0]
            whole = [s for s in starts if s <= size]
            self.assertEqual(r["files"][0]["truncated"], size not in starts)
            self.assertEqual(r["files"][0]["read"], 0 if size == 0 else whole[-1])
        self.assertIn("ends inside a record that begins at", self.spur("inspect", "logs/old").out)

    def test_damaged_payload(self):
        path = self.dir / "logs" / OLD
        data = bytearray(path.read_bytes())
        at = records(data)[4]
        data[at + 20] ^= 1
        path.write_bytes(data)
        r = self.spur("inspect", "logs/old", status=1)
        self.assertIn("at byte %d:" % at, " ".join(r.out.split()))
        run = self.spur("inspect", "logs/old", "--json", status=1).json["runs"][0]
        self.assertEqual((run["events"], run["damage"], run["damaged"][0]["offset"]), (16, 1, at))
        self.assertEqual(run["damaged"][0]["status"], "E_DAMAGED")
        self.assertFalse(run["files"][0]["stuck"])

    def test_damaged_framing(self):
        path = self.dir / "logs" / OLD
        data = bytearray(path.read_bytes())
        at = records(data)[4]
        data[at] ^= 1
        path.write_bytes(data)
        run = self.spur("inspect", "logs/old", "--json", status=1).json["runs"][0]
        self.assertEqual((run["events"], run["damage"], run["damaged"][0]["offset"]), (4, 1, at))
        self.assertTrue(run["files"][0]["stuck"])

    def test_zeros(self):
        with open(self.dir / "logs" / NEW, "ab") as f:
            f.write(bytes(4096))
        self.assertIn("zeros at byte 4", " ".join(self.spur("inspect", "logs/new", status=1).out.split()))

    def test_runs_and_links(self):
        os.symlink("new", self.dir / "logs" / "alias")
        os.symlink("..", self.dir / "logs" / "new" / "up")
        self.write("logs/other/events.out.1", "not an event file by its name")
        self.write("logs/empty/x.tfevents.txt", "")
        os.mkfifo(self.dir / "logs" / "empty" / "pipe.tfevents")
        r = self.spur("inspect", "logs", "--json", status=1)
        self.assertEqual([x["run"] for x in r.json["runs"]], ["alias", "empty", "new", "odd/deep er", "old"])
        self.assertEqual(len(r.json["problems"]), 2)
        self.assertIn("links in a circle", r.json["problems"][0])

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_unreadable(self):
        os.chmod(self.dir / "logs" / OLD, 0)
        os.chmod(self.dir / "logs" / "odd", 0)
        self.addCleanup(os.chmod, self.dir / "logs" / "odd", 0o755)
        r = self.spur("inspect", "logs", "--json", status=1).json
        self.assertIn("cannot open", self.run_named(r, "old")["damaged"][0]["message"])
        self.assertEqual(len(r["problems"]), 1)

    def test_wrong_use(self):
        self.assertIn("nowhere: cannot open: No such file", self.spur("inspect", "nowhere", status=2).err)
        self.write("no/events/here.txt", "")
        self.assertIn("no/events: no event file", self.spur("inspect", "no/events", status=2).err)
        self.assertIn("did you mean '--json'", self.spur("inspect", "--jsn", "logs", status=2).err)
        self.assertIn("found 2", self.spur("inspect", "logs", "logs", status=2).err)
        self.assertIn("found 0", self.spur("inspect", status=2).err)
        self.assertIn("takes no value", self.spur("inspect", "--json=yes", "logs", status=2).err)

    def test_help(self):
        for command in ("inspect", "export"):
            self.assertNarrow(self.spur("help", command).out)
            self.assertEqual(self.spur(command, "--help").out, self.spur("help", command).out)


if __name__ == "__main__":
    main()
