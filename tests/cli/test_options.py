# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur help: every option of every table; docs/options.md is what it prints."""
import re
import shutil
import subprocess

from harness import SOURCE, Cli, main


class Options(Cli):
    pages = {}

    def spur(self, *words, **more):
        """Runs each command once: many tests look at the same pages."""
        key = words, *more.items()
        if key not in self.pages:
            self.pages[key] = super().spur(*words, **more)
        return self.pages[key]

    def test_the_page_is_not_stale(self):
        printed = self.spur("help", "--markdown").out
        page = (SOURCE / "docs/options.md").read_text()
        self.assertEqual(page, printed, "docs/options.md is stale: spur help --markdown > docs/options.md")

    def test_every_section_and_kind_has_help(self):
        page = self.spur("help", "--markdown").out
        sections = re.split(r"\n## \[(\w+)\]\n", page)[1:]
        names = sections[0::2]
        self.assertEqual(names[:10], "run data augment balance model loss optimizer scheduler train log".split())
        for name, text in zip(names, sections[1::2]):
            section = self.spur("help", name).out
            self.assertIn("[%s]" % name, section)
            self.assertNarrow(section[section.index("[%s]  " % name):])
            selector = dict(data="format").get(name, "name")
            for kind in re.findall(r"\n### %s = (\w+)\n" % selector, text):
                shown = self.spur("help", name, kind).out
                self.assertIn("%s = %s" % (selector, kind), shown)
                self.assertNarrow(shown)

    def test_defaults_ranges_and_help(self):
        shown = self.spur("help", "optimizer", "adam").out
        self.assertIn("  lr = 0.001\n", shown)
        self.assertIn("betas = 0.9, 0.999", shown)
        self.assertIn("number in [0, inf)", shown)
        both = self.spur("help", "train").out  # a command and a section
        self.assertIn("usage: spur train FILE.ini", both)
        self.assertIn("early_stopping = 0", both)

    def test_one_key(self):
        shown = self.spur("help", "optimizer.lr").out
        self.assertIn("optimizer.lr (sgd) = 0.01\n", shown)
        self.assertIn("optimizer.lr (adam) = 0.001\n", shown)
        self.assertIn("number in [0, inf)", shown)
        self.assertEqual(self.spur("help", "train.epochs").out.splitlines()[0], "train.epochs = 10")
        self.assertIn("no key 'rl' in [optimizer]", self.spur("help", "optimizer.rl", status=2).err)
        self.assertIn("no section [optimiser]", self.spur("help", "optimiser.lr", status=2).err)
        # two words will do, and one says where it is at home
        self.assertEqual(self.spur("help", "optimizer", "lr").out, shown)
        self.assertEqual(self.spur("help", "train", "epochs").out, self.spur("help", "train.epochs").out)
        self.assertIn("no key 'epoch' in [train]", self.spur("help", "train", "epoch", status=2).err)
        for word, home in (("adam", "`spur help optimizer adam`"), ("epochs", "`spur help train.epochs`"),
                           ("seed", "`spur help run.seed`, `spur help data.seed`"), ("iou", "`spur help metrics iou`")):
            self.assertIn("no command or section '%s'; see %s\n" % (word, home), self.spur("help", word, status=2).err)

    def test_no_topic_is_wider_than_a_terminal(self):
        """Every command, section, kind, metric and key."""
        section, topics = None, [[]]
        for line in self.spur("help", "--markdown").out.splitlines():
            if found := re.match(r"## \[(\w+)\]", line):
                section = found[1]
            for pattern, topic in ((r"### \w+ = (\w+)", "%s %s"), (r"\| `(\w+)` ", "%s.%s"), (r"- `(\w+)", "metrics %.0s%s")):
                if found := re.match(pattern, line):
                    topics.append((topic % (section, found[1])).split())
        words = re.findall(r"^  ([a-z-]+) +[A-Z]", self.spur("help").out, re.M)
        topics += [[word] for word in words + self.spur("help").out.split("`):\n")[1].split() + ["metrics"]]
        for topic in (["optimizer", "adam"], ["train.epochs"], ["metrics", "iou"], ["sweep"], ["program"]):
            self.assertIn(topic, topics)
        for topic in topics:
            self.assertNarrow(self.spur("help", *topic).out)

    def test_every_row_says_what_it_means(self):
        for line in self.spur("help", "--markdown").out.splitlines():
            if line.startswith("| `"):
                cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
                self.assertEqual(len(cells), 4, line)
                self.assertTrue(cells[2] and cells[3], line)

    def test_manual_pages(self):
        """Valid to groff where there is one; every command and every key is in them."""
        program, options = (self.spur("help", "--man", section).out for section in "15")
        for name, page in (("SPUR", program), ("SPUR.INI", options)):
            self.assertTrue(page.startswith(f".TH {name} "))
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=page.encode(), capture_output=True)
                self.assertEqual((done.returncode, done.stderr.decode()), (0, ""))
                self.assertNotRegex(done.stdout.decode(), r"path.* = +folder")  # no value, but what it means
        commands = re.findall(r"^  (\S+) ", self.spur("help").out.split("\nSections")[0], re.M)
        self.assertEqual(re.findall(r"^\.SS spur (\S+)$", program, re.M), commands)
        keys = re.findall(r"^\| `(\w+)` ", self.spur("help", "--markdown").out, re.M)
        self.assertEqual(re.findall(r"^\.BR (\w+) \" = ", options, re.M), keys)
        self.assertIn(".B top_k(k=5)\n", options)
        self.assertEqual(self.spur("help", "--man").out, program)
        self.assertIn("no page in section '3'", self.spur("help", "--man", "3", status=2).err)

    def test_the_manual_knows_the_environment(self):
        """All variables that the sources read, but for those that every program knows."""
        text = "".join(p.read_text() for room in ("trainer", "src", "logger") for p in (SOURCE / room).rglob("*.c"))
        names = set(re.findall(r'getenv\("(\w+)"\)', text)) - {"HOME", "TERM"}
        self.assertIn("GOMP_SPINCOUNT", names)
        page = self.spur("help", "--man", "1").out
        environment = page[page.index(".SH ENVIRONMENT"):page.index(".SH EXIT STATUS")]
        self.assertEqual([n for n in sorted(names) if n not in environment], [])

    def test_pages_name_commands_and_flags_that_there_are(self):
        """Every `spur COMMAND --flag` in the pages, the examples and the scripts."""
        pages = [SOURCE / "README.md", *(SOURCE / "docs").glob("*.md"), *(SOURCE / "scripts").iterdir(),
                 *(p for p in (SOURCE / "examples").rglob("*") if p.suffix in (".ini", ".sh", ".c"))]
        found, wrong, known = 0, [], {}
        for page in pages:
            for command, rest in re.findall(r"(?:^|`|\$ |bin/|  )spur ([a-z-]+)((?: [^`\n#]*)?)", page.read_text(), re.M):
                if (page.name, command) == ("weights.md", "checkpoint"):
                    continue  # the first line of a file
                if command not in known:
                    shown = self.spur("help", command, status=None)
                    known[command] = shown.out if shown.status == 0 else ""
                flags = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest)
                wrong += [(page.name, command, f) for f in flags if f != "--help" and f not in known[command]]
                wrong += [] if known[command] else [(page.name, command)]
                found += 1
        self.assertEqual(wrong, [])
        self.assertGreater(found, 100)

    def test_help_of_a_command(self):
        shown = self.spur("help", "export").out
        for words in (["--help"], ["my_logs", "--help"], ["my_logs", "--kind", "image", "--help", "-o", "x"]):
            self.assertTrue(shown.startswith(self.spur("export", *words).out))
        self.assertIn("cannot open", self.spur("export", "--", "--help", status=2).err)

    def test_commands_are_narrow(self):
        overview = self.spur("help").out
        self.assertNarrow(overview)
        names = re.findall(r"^  ([a-z-]+) +[A-Z]", overview, flags=re.M)
        self.assertIn("train", names)
        for name in names:
            self.assertNarrow(self.spur("help", name).out)

    def test_metrics(self):
        listed = self.spur("help", "metrics").out
        self.assertNarrow(listed)
        for name in ("accuracy", "top_k", "mean_iou", "mse"):
            self.assertIn("        %s " % name, listed)
            self.assertNarrow(self.spur("help", "metrics", name).out)
        self.assertIn("  k = 5\n", self.spur("help", "metrics", "top_k").out)
        self.assertIn("did you mean 'iou'?", self.spur("help", "metrics", "iuo", status=2).err)
        self.assertIn("spur help metrics", self.spur("help", "train.metrics").out)

    def test_the_key_that_chooses_a_kind(self):
        self.assertEqual(self.spur("help", "loss.name").out, self.spur("help", "loss").out)
        self.assertEqual(self.spur("help", "data.format").out, self.spur("help", "data").out)

    def test_unknown_words(self):
        self.assertIn("did you mean 'adam'?", self.spur("help", "optimizer", "adm", status=2).err)
        self.assertIn("no command or section 'optimiser'; did you mean 'optimizer'?",
                      self.spur("help", "optimiser", status=2).err)
        self.assertIn("did you mean 'train'?", self.spur("help", "trian", status=2).err)
        self.assertIn("no key 'x' in [train]", self.spur("help", "train", "x", status=2).err)


if __name__ == "__main__":
    main()
