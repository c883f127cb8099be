# SPDX-License-Identifier: MIT
# cli needs: engine
"""Runs in odd places: copies, directories with odd names, closed streams, what a kill and a power cut leave."""

from harness import SPUR, Cli, main

TABLE = """
[data]
format = csv
path = t.csv
task = classification
[model]
name = mlp
[train]
epochs = 2
metrics = accuracy
"""


class Places(Cli):
    def setUp(self):
        super().setUp()
        self.table(self.dir)
        self.write("t.ini", TABLE)

    def table(self, folder, classes=3, rows=60):
        lines = "".join("%d,%d,c%d\n" % (i % 9, i % 5, i % classes) for i in range(rows))
        (folder / "t.csv").write_text("x,y,kind\n" + lines)

    def state(self, run):
        return next(line.split(" = ")[1] for line in (self.dir / run / "status.ini").read_text().splitlines()
                    if line.startswith("state"))

    def shell(self, script, **more):
        """A script in which $0 is the program."""
        return self.run_program("sh", "-c", script, SPUR, **more)

    def test_closed_streams(self):
        """What is printed does not get into the files that are opened."""
        self.write("s.ini", "include = t.ini\n[sweep]\noptimizer.lr = 1e-2, 1e-3\n")
        self.shell("$0 train t.ini <&- >&- 2>&-", env={"SPUR_RUN_DIR": "logs/a"})
        self.shell("$0 sweep s.ini run.logdir=logs >&-")
        told = [p.name for p in (self.dir / "logs").rglob("*")
                if p.is_file() and any(word in p.read_bytes() for word in (b"Trained 2", b"lr=1e-2  val"))]
        self.assertEqual(told, ["stdout.log"] * 3)


if __name__ == "__main__":
    main()
