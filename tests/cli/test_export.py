# SPDX-License-Identifier: MIT
"""spur export: the golden event files as tables and files, with the values that were logged."""
import json
import math
import os
import struct

from harness import Cli, main

EVENTS = "tests/golden/events"


def single(x):
    """x rounded to a float of 32 bits."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Export(Cli):
    def setUp(self):
        super().setUp()
        self.copy(EVENTS, "logs")

    def export(self, *args, **more):
        return self.spur("export", "logs", *args, **more)

    def test_scalars_csv(self):
        rows = self.export().rows
        loss = [(int(r["step"]), float(r["value"]), float(r["wall_time"])) for r in rows
                if (r["run"], r["tag"]) == ("new", "loss")]
        self.assertEqual([p[:2] for p in loss], [(i, single(1 / (i + 1))) for i in range(10)])
        self.assertEqual(loss[1][2], 1700000001.5)
        self.assertEqual([float(r["value"]) for r in rows if (r["run"], r["tag"]) == ("old", "loss")],
                         [2.0**-i for i in range(5)])
        special = [float(r["value"]) for r in rows if r["tag"] == "special"]
        self.assertTrue(math.isnan(special[0]))
        self.assertEqual(special[1:], [math.inf, -math.inf, 0.0, single(1e-45)])
        self.assertEqual(math.copysign(1, special[3]), -1)
        odd = {r["tag"]: r for r in rows if r["run"] == "odd/deep er"}
        self.assertEqual(float(odd["dtype/double"]["value"]), 0.1)
        self.assertEqual(float(odd["dtype/uint64"]["value"]), 2.0**60)
        self.assertEqual(odd["line\nbreak"]["value"], "10")
        self.assertEqual([int(r["step"]) for r in rows if r["tag"] == "steps"],
                         [-5, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])

    def test_scalars_json(self):
        rows = self.export("--json", "--run", "odd*", "--tag", "special").json
        self.assertEqual([r["value"] for r in rows], ["NaN", "Infinity", "-Infinity", -0.0, single(1e-45)])
        self.assertEqual(list(rows[0]), ["run", "tag", "step", "wall_time", "value"])

    def test_every_point(self):
        self.assertEqual([int(r["step"]) for r in self.export("--tag", "restarted").rows], [0, 1, 2, 1, 2, 2, 3])
        self.assertEqual([int(r["step"]) for r in self.export("--tag", "restarted", "--supersede").rows], [0, 1, 2, 3])

    def test_markdown_and_latex(self):
        md = self.export("--md", "--run", "old", "--tag", "loss").out.splitlines()
        self.assertEqual(md[1], "| --- | --- | ---: | ---: | ---: |")
        self.assertEqual(md[3], "| old | loss | 1 | 2023-11-14 22:13:20 | 0.5 |")
        self.assertEqual(len(md), 2 + 5)
        latex = self.export("--latex", "--tag", "pair*").out
        self.assertTrue(latex.startswith("\\begin{tabular}{llrrr}\n\\hline\nrun & tag & step & wall\\_time & value \\\\\n"))
        self.assertTrue(latex.endswith("\\hline\n\\end{tabular}\n"))
        self.assertIn("| nul\\\\x00inside |", self.export("--md", "--tag", "nul*").out)

    def test_histograms(self):
        rows = self.export("--kind", "histograms", "--run", "old", "--json").json
        first = [(r["left"], r["right"], r["count"]) for r in rows if r["step"] == 0]
        self.assertEqual(first, [(-3, -2, 1), (-2, 0, 2), (0, 1, 3), (1, 2, 1)])
        rows = self.export("--kind", "histogram", "--tag", "constant").rows
        self.assertEqual([(r["left"], r["right"], r["count"]) for r in rows], [("2", "2", "0")] * 2 + [("2", "2", "7")])

    def test_texts(self):
        rows = self.export("--kind", "text").rows
        self.assertEqual(rows[0]["text"], "# Title\nline")
        self.assertEqual([(r["row"], r["column"], r["text"]) for r in rows if r["step"] == "2"],
                         [("0", "0", "a"), ("0", "1", "b"), ("1", "0", "c"), ("1", "1", ""), ("2", "0", "e"), ("2", "1", "f")])

    def test_pr_curves(self):
        rows = self.export("--kind", "pr_curves").rows
        self.assertEqual([float(r["threshold"]) for r in rows], [0, 1 / 3, 2 / 3, 1])
        self.assertEqual([float(v) for v in list(rows[1].values())[5:]], [1, 5, 9, 13, 17, 21])

    def test_hparams(self):
        row, = self.export("--kind", "hparams", "--json").json
        self.assertEqual({k: row[k] for k in ("run", "group", "status", "start", "end", "lr", "optimizer", "nesterov", "layers")},
                         {"run": "new", "group": "t1", "status": "success", "start": 1700000000, "end": 1700000060,
                          "lr": 0.125, "optimizer": "adam", "nesterov": True, "layers": 3})
        self.assertEqual((row["loss"], row["accuracy"]), (single(0.1), single(0.9)))
        row, = self.export("--kind", "hparams", "--json", "--tag", "acc*").json
        self.assertNotIn("loss", row)

    def test_hparams_of_runs_below(self):
        self.copy(EVENTS + "/old", "logs/new/validation")
        row, = self.export("--kind", "hparams", "--json").json
        self.assertEqual((row["loss"], row["validation/loss"]), (single(0.1), 0.0625))
        self.copy(EVENTS + "/new", "logs/new/inner")  # a session within: what is below it belongs to it alone
        self.copy(EVENTS + "/old", "logs/new/inner/test")
        rows = {row["run"]: row for row in self.export("--kind", "hparams", "--json").json}
        self.assertEqual({run: (row.get("validation/loss"), row.get("test/loss")) for run, row in rows.items()},
                         {"new": (0.0625, None), "new/inner": (None, 0.0625)})
        self.assertFalse([key for row in rows.values() for key in row if key.startswith("inner")])

    def test_images(self):
        rows = self.export("--kind", "images", "-o", "out").rows
        self.assertEqual(self.tree("out"), [
            "new/pictures/step_000000000_0.png", "new/pictures/step_000000000_1.png",
            "new/pictures/step_000000001_0.png", "old/picture/step_000000004_0.png"])
        for row in rows:
            data = (self.dir / row["file"]).read_bytes()
            self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(data[-8:-4], b"IEND")
            self.assertEqual(len(data), int(row["bytes"]))
            self.assertEqual(struct.unpack(">II", data[16:24]), (4, 3))

    def test_images_that_cannot_be_written(self):
        self.write("out/new/pictures", "a file where the directory should be")
        r = self.export("--kind", "image", "-o", "out", status=1)
        self.assertIn("out/new/pictures", r.err)
        self.assertEqual([f for f in self.tree() if f.endswith(".tmp")], [])

    def test_audio(self):
        self.export("--kind", "audio", "-o", "out")
        self.assertEqual(self.tree("out"), ["new/sound/flat/step_000000003_0.wav", "new/sound/step_000000003_0.wav",
                                            "new/sound/step_000000003_1.wav", "old/sound/step_000000004_0.wav"])
        wav = (self.dir / "out/new/sound/step_000000003_0.wav").read_bytes()
        self.assertEqual(struct.unpack("<3h", wav[44:]), (0, 1000, -1000))

    def test_graphs_meshes_and_others(self):
        self.export("--kind", "graphs", "-o", "out")
        keras = json.loads((self.dir / "out/new/keras/step_000000000_0.json").read_text())
        self.assertEqual(keras, {"class_name": "Sequential"})
        self.assertIn(b"Relu", (self.dir / "out/new/__run_graph__/step_000000000_0.pb").read_bytes())
        self.export("--kind", "meshes", "-o", "mesh")
        self.assertEqual((self.dir / "mesh/new/shape_FACE/step_000000001_1.csv").read_text(), "16,17,18\n19,20,21\n")
        self.export("--kind", "profile", "-o", "profile")
        self.assertEqual(self.tree("profile"), ["old/step4/step_000000004_0.pb"])
        self.export("--kind", "layout", "-o", "layout")
        self.assertIn(b"acc.*", (self.dir / self.tree("layout")[0].join(["layout/", ""])).read_bytes())

    def test_hostile_tags_stay_inside(self):
        """Tags such as ../../x become names below the output directory, all different."""
        tags = ["../../up", "/abs", "a//b", "", ".", "..", "nul\0x", "%2E%2E", "c\n", "x" * 400, "x" * 401, "a/", "~"]
        self.write("hostile/t.tfevents", b"".join(record(image_event(t.encode(), i)) for i, t in enumerate(tags)))
        rows = self.spur("export", "hostile", "--kind", "image", "-o", "deep/er/out").rows
        self.assertEqual(len({r["file"] for r in rows}), len(tags))
        self.assertEqual(len(self.tree("deep/er/out")), len(tags))
        self.assertEqual(self.tree("deep"), ["er/out/" + f for f in self.tree("deep/er/out")])

    def test_repeated_steps_do_not_overwrite(self):
        self.write("again/t.tfevents", b"".join(record(image_event(b"t", s)) for s in (1, 2, 1, 2, 2)))
        rows = self.spur("export", "again", "--kind", "image", "-o", "out").rows
        self.assertEqual(len({r["file"] for r in rows}), 5)

    def test_output_file(self):
        r = self.export("-o", "table.csv", "--tag", "loss")
        self.assertEqual(r.out, "")
        self.assertEqual((self.dir / "table.csv").read_text().splitlines()[0], "run,tag,step,wall_time,value")
        (self.dir / "link.csv").symlink_to("table.csv")
        (self.dir / "table.csv").write_text("")
        self.export("-o", "link.csv", "--tag", "loss")
        self.assertTrue((self.dir / "link.csv").is_symlink())
        self.assertEqual((self.dir / "table.csv").read_text().splitlines()[0], "run,tag,step,wall_time,value")
        self.write("keep.csv", "old")
        self.export("-o", "keep.csv", "--tag", "none", status=2)
        self.assertEqual((self.dir / "keep.csv").read_text(), "old")
        self.assertEqual([f for f in self.tree() if f.endswith(".tmp")], [])
        self.assertIn("no/where.csv", self.export("-o", "no/where.csv", status=2).err)
        os.mkfifo(self.dir / "pipe")  # a device, as /dev/null is one, must not be replaced either
        self.assertIn("not a regular file", self.export("-o", "pipe", status=1).err)
        self.assertTrue((self.dir / "pipe").is_fifo())

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            import subprocess

            from harness import SPUR
            done = subprocess.run([SPUR, "export", "logs"], cwd=self.dir, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write", done.stderr)

    def test_damage(self):
        path = self.dir / "logs/old/events.out.tfevents.1700000000.host.1.0"
        data = bytearray(path.read_bytes())
        data[150] ^= 4
        path.write_bytes(data)
        r = self.export(status=1)
        self.assertIn("damaged record", r.err)
        self.assertEqual(len([x for x in r.rows if x["run"] == "new"]), 20)

    def test_wrong_use(self):
        self.assertIn("nowhere", self.spur("export", "nowhere", status=2).err)
        self.assertIn("unknown kind 'picture'", self.export("--kind", "picture", status=2).err)
        self.assertIn("needs a directory", self.export("--kind", "image", status=2).err)
        self.assertIn("more than one form", self.export("--csv", "--md", status=2).err)
        self.assertIn("--supersede is for scalars", self.export("--kind", "text", "--supersede", status=2).err)
        self.assertIn("needs a value", self.export("--kind", status=2).err)
        self.assertIn("no scalar of such a name", self.export("--tag", "x*y", status=2).err)
        self.assertEqual(self.export("--tag", "x*y", status=2).out, "")


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def image_event(tag, step):
    value = field(1, tag) + field(4, field(4, b"\x89PNG"))
    return b"\x09" + struct.pack("<d", 1.0 + step) + b"\x10" + varint(step) + field(5, field(1, value))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload):
    head = struct.pack("<Q", len(payload))
    return head + crc32c(head) + payload + crc32c(payload)


if __name__ == "__main__":
    main()
