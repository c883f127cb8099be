# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur train: what a run leaves, what is wrong in its configuration, and what goes wrong on the way."""
import os
import re
import shutil
import time

from harness import SPUR, main
from runs import SMALL, Run


class Train(Run):
    def test_what_a_run_leaves(self):
        run = self.train("optimizer.lr=0.002")
        files = set(self.tree(run))
        for name in ("config.ini", "overrides.ini", "env.ini", "status.ini", "metrics.csv", "stdout.log", "data.ini"):
            self.assertIn(name, files)
        self.assertIn("lr = 0.002", (run / "overrides.ini").read_text())
        self.assertIn("spur train a.ini optimizer.lr=0.002", (run / "overrides.ini").read_text())
        self.assertEqual(self.status(run)["state"], "done")
        self.assertEqual(self.status(run)["exit"], "0")
        rows = self.rows(run / "metrics.csv")
        self.assertEqual([r["epoch"] for r in rows], ["1", "2", "3"])
        self.assertEqual([r["step"] for r in rows], ["10", "20", "30"])
        self.assertLess(float(rows[-1]["loss"]), float(rows[0]["loss"]))
        tags = {r["tag"] for r in self.spur("export", run, "--csv").rows}
        for tag in ("epoch_loss", "epoch_accuracy", "epoch_learning_rate", "batch_loss", "batch_gradient_norm",
                    "evaluation_loss_vs_iterations", "perf/samples_per_second"):
            self.assertIn(tag, tags)
        self.assertTrue((run / "checkpoints/best/weights.safetensors").exists())
        self.assertEqual(os.listdir(run / "resume"), ["step_30_epoch_3.ini"])

    def test_what_a_regression_shows(self):
        line = "%.3f,%.3f,%.3f,%.3f"
        rows = [((i * 37 % 101) / 50 - 1, (i * 61 % 97) / 48 - 1) for i in range(120)]
        text = "\n".join(["a,b,size,weight"] + [line % (a, b, 20 + 8 * a - b, a * b) for a, b in rows])
        self.write("data/train.csv", text)
        self.write("data/val.csv", text)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = weight\nleave_out = size\n[model]\nname = mlp\n"
                            "[loss]\nname = mse\n[train]\nepochs = 3\n[log]\nimages = 0\nimages_every = 2\nembeddings = 7\n")

        def pictures(*overrides):
            """The run, its pictures as (tag, step), and where they were written."""
            before = set(self.run_dirs())
            self.spur("train", "r.ini", *overrides)
            run = (set(self.run_dirs()) - before).pop()
            listed = self.spur("export", run, "--kind", "image", "-o", run / "pictures", status=None)
            return run, [(r["tag"], int(r["step"])) for r in listed.rows], [r["file"] for r in listed.rows]

        run, shown, files = pictures()
        self.assertEqual(shown, [("predicted_vs_true", 2), ("predicted_vs_true", 3)])
        self.assertNotEqual((self.dir / files[0]).read_bytes(), (self.dir / files[1]).read_bytes())
        self.assertTrue((self.dir / files[0]).read_bytes().startswith(b"\x89PNG"))
        points = (run / "validation/projector/features-00003/metadata.tsv").read_text().splitlines()
        self.assertEqual(points[0], "truth\tanswer")
        self.assertEqual([float(p.split("\t")[0]) for p in points[1:]], [round(a * b, 3) for a, b in rows[:7]])
        _, shown, _ = pictures("data.target=size, weight", "data.leave_out=", "log.images_every=3")
        self.assertEqual(shown, [("predicted_vs_true/value_0", 3), ("predicted_vs_true/value_1", 3)])
        self.assertEqual(pictures("log.scatter=false")[1], [])
        auto = [step for _, step in pictures("log.images_every=auto", "train.epochs=101")[1]]
        self.assertEqual(auto, list(range(2, 101, 2)) + [101])
        self.assertEqual([step for _, step in pictures("log.images_every=auto")[1]], [1, 2, 3])

    def test_same_seed_same_bits_for_any_threads(self):
        large = "data.size=24x24"  # so that threads share the work
        one = self.digest(self.train(large, "run.threads=1", "data.workers=0"))
        two = self.digest(self.train(large, "run.threads=2", "data.workers=3"))
        other = self.digest(self.train(large, "run.seed=4"))
        self.assertEqual(one, two)
        self.assertNotEqual(one["metrics.csv"], other["metrics.csv"])

    def test_config_of_a_run_repeats_it(self):
        first = self.train()
        shutil.copy(first / "config.ini", self.dir / "a.ini")
        second = self.train()
        self.assertEqual((first / "config.ini").read_bytes(), (second / "config.ini").read_bytes())
        self.assertEqual(self.digest(first), self.digest(second))

    def test_print_config_reads_back(self):
        once = self.spur("train", "a.ini", "train.ema=0.5", "--print-config").out
        self.write("b.ini", once)
        self.assertEqual(self.spur("train", "b.ini", "--print-config").out, once)
        self.assertIn("ema = 0.5", once)
        self.assertEqual(self.run_dirs(), [])

    def test_dry_run_and_quiet(self):
        shown = self.spur("train", "a.ini", "--dry-run").out
        self.assertIn("160 training, 40 validation samples of 8x8x3, 8 classes", shown)
        self.assertEqual(self.run_dirs(), [])
        r = self.spur("train", "a.ini", "--quiet", "train.epochs=1")
        self.assertEqual((r.out, r.err), ("", ""))

    def test_a_norm_over_one_value_is_told(self):
        smallest = "data.size=32x32", "model.name=resnet18"
        for batch, told in (1, True), (2, False):
            said = self.spur("train", "a.ini", "--dry-run", "data.batch_size=%d" % batch, *smallest).out
            self.assertEqual("Batch norm 'layer4.0.bn1' and others see one value of each channel" in said, told)

    def test_json_lines(self):
        lines = self.spur("train", "a.ini", "--json").json_lines
        self.assertEqual([l["event"] for l in lines], ["epoch"] * 3 + ["end"])
        self.assertEqual(lines[2]["step"], 30)
        self.assertEqual(lines[3]["monitor"], "val_accuracy")
        self.assertEqual(lines[3]["best"], max(l["val_accuracy"] for l in lines[:3]))

    def test_a_bar_on_a_terminal_only(self):
        shown = self.on_terminal("train", "a.ini", "train.epochs=1")
        self.assertIn("Epoch 1/1 \x1b[36m", shown)
        self.assertIn("img/s", shown)
        self.assertNotIn("\x1b", self.spur("train", "a.ini", "train.epochs=1").out)

    def test_what_the_bar_says(self):
        """Cells, per cent and numbers are those of the batches that are done; the last one is whole."""
        begun = time.monotonic()
        shown = self.on_terminal("train", "a.ini", "train.epochs=1", columns=120)
        seconds = time.monotonic() - begun
        bars = re.findall("\rEpoch 1/1 \x1b\\[36m(\u2501*)(?:\x1b\\[90m(\u2500+))?\x1b\\[0m +(\\d+)%  "
                          r"loss \d\.\d{4}  accuracy [01]\.\d{4}  (\d\d+|\d\.\d) img/s  \d+:\d\d left" "\x1b\\[K", shown)
        self.assertEqual(len(bars), shown.count("\rEpoch 1/1"), shown)
        self.assertEqual([bar[2] for bar in bars][::len(bars) - 1 or 1], ["10", "100"])  # of ten batches
        for thick, thin, share, rate in bars:
            self.assertEqual(len(thick), (int(share) * len(thick + thin) + 50) // 100, bars)
        self.assertGreaterEqual(float(bars[-1][3]) + 1, 160 / seconds)

    def test_terminals_without_bars_or_letters(self):
        self.assertNotIn("\x1b", self.on_terminal("train", "a.ini", "train.epochs=1", env={"TERM": "dumb"}))
        for env in {"LC_ALL": "C", "LANG": "C.UTF-8"}, {"LC_ALL": "", "LC_CTYPE": "C", "LANG": "C.UTF-8"}:
            shown = self.on_terminal("train", "a.ini", "train.epochs=1", env=env)
            self.assertRegex(shown, "Epoch 1/1 \x1b\\[36m=+\x1b\\[90m-+\x1b\\[0m")

    def test_where_tensorboard_finds_the_run(self):
        out = self.spur("train", "a.ini", "train.epochs=1", "train.max_steps=1", env={"SPUR_RUN_DIR": "trials/one"}).out
        self.assertIn("TensorBoard: tensorboard --logdir=trials\n", out)
        self.assertIn("Trained 1 epoch (1 step) in ", out)
        shown = self.spur("train", "a.ini", "train.epochs=1").out
        self.assertIn("--logdir=./my_logs\n", shown)
        self.assertEqual((self.run_dirs()[0] / "stdout.log").read_text(), shown)

    def test_huge_values_keep_their_length(self):
        table = "a,y\n" + "".join("%d,%d\n" % (i % 7, i * 10**7) for i in range(20))
        self.write("data/train.csv", table)
        self.write("data/val.csv", table)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = y\n[model]\nname = mlp\n[loss]\nname = mse\n"
                            "[optimizer]\nlr = 0\n[train]\nepochs = 1\n")
        self.assertRegex(self.spur("train", "r.ini").out, r"loss 1\.\d+e\+16\|1\.\d+e\+16  mae 9\.\d+e\+07")

    def test_output_that_nobody_reads(self):
        self.run_program("bash", "-c", "set -o pipefail; \"$@\" | head -n 1", "bash", SPUR, "train", "a.ini")
        self.assertEqual(self.status(self.run_dirs()[0])["state"], "done")

    def test_a_bar_keeps_to_its_line(self):
        """A line of the terminal's full width would scroll at every redrawing."""
        for columns in (12, 40, 60, 80):
            shown = self.on_terminal("train", "a.ini", "train.epochs=1", columns=columns)
            bars = [part.split("\x1b[K")[0] for part in shown.split("\r")[1:]]
            self.assertTrue(any("Epoch 1/1" in bar for bar in bars))
            for bar in bars:
                self.assertLess(len(re.sub("\x1b\\[[0-9]*m", "", bar)), columns, bar)

    def test_no_color(self):
        os.environ["NO_COLOR"] = "1"
        self.addCleanup(os.environ.pop, "NO_COLOR")
        shown = self.on_terminal("train", "a.ini", "train.epochs=1")
        self.assertIn("Epoch 1/1 \u2501", shown)
        self.assertNotIn("m\u2501", shown)
        os.environ["NO_COLOR"] = ""
        self.assertIn("\x1b[36m", self.on_terminal("train", "a.ini", "train.epochs=1"))

    def test_metrics_as_the_help_writes_them(self):
        """With all their options, between commas: `iou(average=macro, class=all)`."""
        page = self.spur("help", "--markdown").out
        names = re.findall(r"^- `(\w+(?:\([^)]*\))?)`: ", page[page.index("## [train]"):page.index("## [log]")], re.M)
        names = [name for name in names if name not in ("mae", "mse")]  # these are for numbers
        self.assertIn("iou(average=macro, class=all)", names)
        self.spur("train", "a.ini", "--dry-run", "train.metrics=" + ", ".join(names))

    def test_overfit_limit_and_max_steps(self):
        run = self.train("--overfit", "16", "data.size=24x24", "train.epochs=30", "augment.horizontal_flip=0", "log.images=0")
        rows = self.rows(run / "metrics.csv")
        self.assertGreater(float(rows[-1]["val_accuracy"]), 0.9)
        both = [self.train("--overfit", "16", "train.epochs=1", *more) for more in ((), ("--limit-batches", "3"))]
        one, other = ((run / "metrics.csv").read_text() for run in both)
        self.assertEqual(one, other)  # the very same samples
        run = self.train("--limit-batches", "3")
        self.assertEqual(self.rows(run / "metrics.csv")[-1]["step"], "9")
        run = self.train("train.max_steps=7")
        rows = self.rows(run / "metrics.csv")
        self.assertEqual([r["step"] for r in rows], ["7"])
        self.assertEqual(self.status(run)["state"], "done")

    def test_limited_validation_is_spread_over_the_data(self):
        """The first batches of sorted data are not what the data are like."""
        table = "a,y\n" + "".join("%d,%d\n" % (i % 7, i) for i in range(100))
        self.write("data/train.csv", table)
        self.write("data/val.csv", table)
        self.write("r.ini", "[data]\nformat = csv\npath = data\ntarget = y\nbatch_size = 5\n[model]\nname = mlp\n"
                            "[loss]\nname = mse\n[optimizer]\nlr = 0\n[train]\nepochs = 2\n")
        run = self.dir / "limited"
        self.spur("train", "r.ini", "--limit-batches", "2", env={"SPUR_RUN_DIR": str(run)})
        rows = self.rows(run / "metrics.csv")
        self.assertGreater(float(rows[0]["val_mae"]), 30)  # the mean of y is 49.5, of its first ten 4.5
        self.assertEqual(rows[0]["val_mae"], rows[1]["val_mae"])

    def test_keep(self):
        """So many checkpoints beside those that `best` and `last` are."""
        run = self.train("train.epochs=5", "train.checkpoint_every=0", "train.monitor=loss", "train.keep=2")
        links = {os.readlink(run / "checkpoints" / name) for name in ("best", "last")}
        steps = {p.name for p in (run / "checkpoints").glob("step_*")}
        self.assertLessEqual(links, steps)
        others = sorted(steps - links)
        self.assertEqual(len(others), 2)
        self.assertEqual(others, sorted({"step_%d" % s for s in (10, 20, 30, 40, 50)} - links)[-2:])

    def test_early_stopping(self):
        run = self.train("train.early_stopping=2", "optimizer.lr=0", "train.epochs=20")
        self.assertEqual(len((run / "metrics.csv").read_text().splitlines()), 1 + 3)
        self.assertEqual(self.status(run)["message"], "stopped early")
        self.assertEqual(os.readlink(run / "checkpoints/best"), "step_10")

    def test_accumulation_equals_a_larger_batch(self):
        def losses(*options):
            run = self.train("optimizer.name=sgd", "optimizer.lr=0.05", "scheduler.name=constant", "model.name=mlp",
                             "augment.horizontal_flip=0", "train.epochs=1", *options)
            return [float(r["val_loss"]) for r in self.rows(run / "metrics.csv")]
        whole, parts = losses("data.batch_size=32"), losses("data.batch_size=8", "train.accumulate=4")
        self.assertAlmostEqual(whole[0], parts[0], places=4)

    def test_ema_and_clipping_and_head_rate(self):
        plain = self.train()
        ema = self.train("train.ema=0.9", "train.clip_norm=0.5", "train.clip_value=0.01", "model.head_lr=2")
        self.assertNotEqual((plain / "metrics.csv").read_bytes(), (ema / "metrics.csv").read_bytes())

    def test_retention(self):
        run = self.train("train.keep=2", "train.checkpoint_every=0", "train.epochs=5")
        names = {p.name for p in (run / "checkpoints").glob("step_*")}
        best = os.readlink(run / "checkpoints/best")
        self.assertEqual(os.readlink(run / "checkpoints/last"), "step_50")
        self.assertTrue({"step_50", best} <= names and len(names) <= 4, names)

    def test_a_sweep_section_is_ignored_aloud(self):
        self.write("a.ini", SMALL + "[sweep]\noptimizer.lr = 1e-2, 1e-3\n")
        self.assertIn("[sweep] is ignored here", self.spur("train", "a.ini", "train.epochs=1").out)

    def test_balance_is_shown_and_counts(self):
        long_tail = "data.imbalance=exp:0.1"
        plain = self.train(long_tail)
        weighted = self.train(long_tail, "balance.method=class_weights")
        sampled = self.train(long_tail, "balance.method=weighted_sampler")
        losses = {(run / "metrics.csv").read_bytes() for run in (plain, weighted, sampled)}
        self.assertEqual(len(losses), 3)
        self.assertNotIn("data/class_weights", self.spur("inspect", plain).out)
        self.assertIn("data/class_weights", self.spur("inspect", weighted).out)
        self.assertIn("data/classes", self.spur("inspect", sampled).out)

    def test_runs_of_one_second_do_not_meet(self):
        taken = {time.strftime("run_%Y_%m_%d-%H_%M_%S_x", time.gmtime(time.time() + s)) for s in range(3600)}
        for name in taken:
            (self.dir / "my_logs" / name).mkdir(parents=True)
        processes = [self.start("train", "a.ini", "train.epochs=1", "run.name=x") for _ in range(4)]
        for process in processes:
            process.communicate()
            self.assertEqual(process.returncode, 0)
        runs = [run for run in self.run_dirs() if run.name not in taken]
        self.assertEqual({self.status(run)["state"] for run in runs}, {"done"})
        self.assertEqual(sorted(run.name[:-2] in taken for run in runs), [True] * 4, runs)

    def test_a_given_directory(self):
        env = {"SPUR_RUN_DIR": "trial/one", "SPUR_HPARAMS": "optimizer.lr", "SPUR_HPARAMS_GROUP": "g"}
        self.spur("train", "a.ini", "train.epochs=1", env=env)
        self.assertTrue((self.dir / "trial/one/metrics.csv").exists())
        self.assertIn("holds a run already", self.spur("train", "a.ini", env=env, status=2).err)

    def test_weights_of_another_run(self):
        run = self.train("train.epochs=1")
        weights = run / "checkpoints/last/weights.safetensors"
        r = self.spur("train", "a.ini", "train.epochs=1", "data.classes=5", "model.weights=%s" % weights,
                      "model.freeze=conv1")
        self.assertIn("fc", r.out)
        self.assertIn("Model: my_net, 357,573 trainable parameters, ", r.out)

    def test_weights_that_a_run_began_with_may_go(self):
        """A run that has a checkpoint needs them no more; one without reads them again."""
        shutil.copy(self.train("train.epochs=1") / "checkpoints/last/weights.safetensors", self.dir / "w.safetensors")
        run, begun = self.train("model.weights=w.safetensors", "train.epochs=1"), self.dir / "begun"
        self.spur("train", "a.ini", "model.weights=w.safetensors", "optimizer.lr=1e30", status=1, env={"SPUR_RUN_DIR": str(begun)})
        self.assertFalse((begun / "checkpoints").exists())
        (self.dir / "w.safetensors").unlink()
        self.assertIn("accuracy", self.spur("eval", run).out)
        self.spur("resume", run, "train.epochs=2")
        self.assertIn("w.safetensors: cannot open", self.spur("resume", begun, "optimizer.lr=0.001", status=2).err)


class BadInput(Run):
    """Exit status 2, a message that names the place, nothing created."""

    def refused(self, text, message, *overrides):
        self.write("bad.ini", text)
        r = self.spur("train", "bad.ini", *overrides, status=2)
        self.assertIn(message, r.err)
        self.assertEqual(r.out, "")
        self.assertEqual(self.run_dirs(), [])

    def test_mistakes_in_the_file(self):
        self.refused("[trian]\n", "bad.ini:1:1: unknown section [trian]; did you mean [train]?")
        self.refused("[optimizer]\nlearning = 1\n", "bad.ini:2:1: unknown key 'learning' in [optimizer]")
        self.refused("[train]\nepoch = 1\n", "bad.ini:2:1: unknown key 'epoch' in [train]; did you mean 'epochs'?")
        self.refused("[model]\nname = unett\n", "bad.ini:2:8: unknown model 'unett'; did you mean 'unet'?")
        self.refused("lr = 1\n[optimizer]\n", "bad.ini:1:1: key 'lr' before any [section]")
        self.refused("[optimizer]\nlr = -1\n", "bad.ini:2:6: lr: found '-1', expected number in [0, inf)")
        self.refused("[run]\nseed = 1\nseed = 2\n", "bad.ini:3:1: duplicate key 'seed'")
        self.refused("[optimizer]\nname = sgd\nbetas = 0.9, 0.9\n", "'betas' is an option of adam, adamw")
        self.refused(SMALL, "command line: train.epochs=x", "train.epochs=x")
        self.refused(SMALL, "expected section.key=value", "epochs=3")
        self.assertIn("'run.seed=3': expected an INI file before", self.spur("train", "run.seed=3", status=2).err)
        self.refused(SMALL, "train.monitor=val_f2: no column 'val_f2'", "train.monitor=val_f2")
        self.refused("", "bad.ini: there is no [section] in it")
        self.refused("; nothing\n", "bad.ini: there is no [section] in it")
        self.refused(SMALL + "[loss]\nname = bce\n", "bad.ini:26:8: 'bce' is for two classes, the data have 8")
        self.refused("[optimizer]\nlr = inf\n", "bad.ini:2:6: lr: found 'inf', expected number in [0, inf)")
        self.refused(SMALL, "train.metrics=iou(class=8): iou: found class = 8, expected at most 7: the data have 8 classes",
                     "train.metrics=iou(class=8)")
        self.refused(SMALL, "'f1(average=micro, accuracy': expected ')'", "train.metrics=f1(average=micro, accuracy")
        self.refused(SMALL, "top_k: found k = 9, expected at most 8", "train.metrics=top_k(k=9)")
        self.refused(SMALL, "'unet' answers for each pixel", "model.name=unet")
        self.refused(SMALL, "'mse' compares numbers", "loss.name=mse")
        self.refused(SMALL, "no parameter begins with 'conv9'", "model.freeze=conv9")
        frozen = "command line: model.freeze=conv,fc: all parameters are frozen: there is nothing to train"
        self.refused(SMALL, frozen, "model.freeze=conv,fc")
        self.refused(SMALL, frozen, "model.freeze=conv,fc", "--dry-run")
        self.assertIn(frozen, self.spur("lr-find", "bad.ini", "model.freeze=conv,fc", status=2).err)
        self.assertIn("(0 trainable)", self.spur("summary", "bad.ini", "model.freeze=conv,fc").out)
        self.refused(SMALL, "head_lr would do nothing", "model.head_lr=10", "scheduler.name=one_cycle",
                     "scheduler.max_lr=0.1")
        self.refused("[scheduler]\nname = one_cycle\nmax_momentum = 1\n", "bad.ini:3:16: max_momentum: found '1', expected number in [0, 1)")
        self.refused(SMALL, "scheduler.cycle_momentum: found true, but adagrad has no momentum to move: expected false",
                     "optimizer.name=adagrad", "scheduler.name=one_cycle")
        self.refused(SMALL, "nowhere.safetensors", "model.weights=nowhere.safetensors")

    def test_data_that_are_not_there(self):
        folder = "[data]\nformat = image_folder\npath = empty\n[model]\nname = my_net\n"
        (self.dir / "empty").mkdir()
        self.refused(folder, "empty")
        self.refused(folder, "nowhere", "data.path=nowhere")

    def test_a_directory_that_cannot_be_written(self):
        self.write("file", "")
        self.refused(SMALL, "file", "run.logdir=file/logs")
        if os.geteuid() != 0:
            (self.dir / "closed").mkdir(mode=0o555)
            self.refused(SMALL, "closed", "run.logdir=closed/logs")


class Failing(Run):
    def test_nan_names_step_layer_and_cause(self):
        r = self.spur("train", "a.ini", "optimizer.name=sgd", "optimizer.lr=1e30", "scheduler.name=constant", status=1)
        self.assertIn("step 2", r.err)
        self.assertIn("learning rate", r.err)
        self.assertRegex(r.err, r"^spur train: epoch 1, step 2: .*layer .*'conv\d'")
        run = self.run_dirs()[0]
        self.assertEqual(self.status(run)["state"], "failed")
        self.assertEqual(self.status(run)["exit"], "1")
        self.assertIn("\n" + r.err.replace("spur train", "train"), (run / "stdout.log").read_text())

    def test_nan_keeps_the_last_good_checkpoint(self):
        run = self.train("train.epochs=1", "train.keep=1")
        before = self.spur("eval", run, "--weights", "last", "--json").json
        r = self.spur("resume", run, "train.epochs=3", "optimizer.name=adam", "optimizer.lr=1e30", status=1)
        self.assertIn("epoch 2, step 1", r.err)
        self.assertEqual(os.readlink(run / "checkpoints/last"), "step_10")
        self.assertEqual(self.spur("eval", run, "--weights", "last", "--json").json, before)
        self.spur("resume", run, "train.epochs=2", "optimizer.lr=0.001")

    def fill_disk(self, kilobytes, *overrides):
        """A file-size limit stands in for a full disk: writes beyond it fail. Then there is room again."""
        whole = self.digest(self.train(*overrides))
        shutil.rmtree(self.dir / "my_logs")
        script = "trap '' XFSZ; ulimit -f %d; exec \"$@\"" % kilobytes
        # TSan maps a temporary file of its own, which the limit would cut short; without a place for it there is none.
        full = self.run_program("bash", "-c", script, "bash", SPUR, "train", "a.ini", *overrides, status=1,
                                env={"TEST_TMPDIR": "/nonexistent"})
        self.assertIn("File too large", full.err)
        run = self.run_dirs()[0]
        self.assertEqual(self.status(run)["state"], "failed")
        self.spur("inspect", run)
        saved = (run / "checkpoints/last").exists()
        self.spur("resume", run)
        self.assertEqual(self.digest(run), whole)
        return saved

    def test_a_run_that_cannot_open_its_files(self):
        """Its status says that it has failed, not that it is running."""
        self.write("run/train", "a file where the run wants a directory")
        self.spur("train", "a.ini", status=1, env={"SPUR_RUN_DIR": "run"})
        status = self.status(self.dir / "run")
        self.assertEqual(status["state"], "failed")
        self.assertIn("run/train", status["message"])

    def test_a_disk_too_full_for_the_first_checkpoint(self):
        self.assertFalse(self.fill_disk(1200))  # my_net's weights are larger

    def test_a_disk_that_fills_up_after_a_checkpoint(self):
        """The first checkpoint comes before the first validation, whose pictures are what needs the room."""
        self.assertTrue(self.fill_disk(200, "model.name=mlp", "model.layers=1", "model.width=4"))


if __name__ == "__main__":
    main()
