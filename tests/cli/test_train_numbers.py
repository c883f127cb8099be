# SPDX-License-Identifier: MIT
# cli needs: engine
"""spur train by its numbers: a linear model with a squared error, which these tests train by themselves."""
import csv
import json
import os
import struct

from harness import Cli, main

INI = """
[data]
format = csv
path = data
normalization = none
batch_size = 20
[model]
name = mlp
layers = 0
[loss]
name = mse
[optimizer]
name = sgd
lr = 0.1
[train]
epochs = 4
[log]
histograms_every = 0
embeddings = 0
scatter = false
"""


def samples(first, count, slope=2.0):
    """Rows ((a, b), y)."""
    out = []
    for i in range(first, first + count):
        a, b = (i * 37 % 21) / 10 - 1, (i * 61 % 23) / 8 - 1
        out.append(((a, b), round(slope * a - b + 0.3 + (i * 7 % 5) / 9, 6)))
    return out


def table(rows):
    return "a,b,y\n" + "".join("%r,%r,%r\n" % (*x, y) for x, y in rows)


def answer(weights, x):
    return weights[0] * x[0] + weights[1] * x[1] + weights[2]


def mse(weights, rows):
    return sum((answer(weights, x) - y) ** 2 for x, y in rows) / len(rows)


def mae(weights, rows):
    return sum(abs(answer(weights, x) - y) for x, y in rows) / len(rows)


def gradient(weights, rows):
    off = [(answer(weights, x) - y, x) for x, y in rows]
    return [2 * sum(d * x[0] for d, x in off) / len(rows), 2 * sum(d * x[1] for d, x in off) / len(rows),
            2 * sum(d for d, _ in off) / len(rows)]


def norm(values):
    return sum(v * v for v in values) ** 0.5


class Numbers(Cli):
    def setUp(self):
        super().setUp()
        self.count = 0
        self.write("a.ini", INI)
        self.data(samples(0, 20), samples(20, 7))

    def data(self, training, validation):
        self.training, self.validation = training, validation
        self.write("data/train.csv", table(training))
        self.write("data/val.csv", table(validation))

    def train(self, *overrides):
        self.count += 1
        run = self.dir / ("run%d" % self.count)
        self.spur("train", "a.ini", "--quiet", *overrides, env={"SPUR_RUN_DIR": str(run)})
        return run

    def rows(self, run):
        text = (run / "metrics.csv").read_text()
        return [{k: float(v) if v else None for k, v in r.items()} for r in csv.DictReader(text.splitlines())]

    def points(self, run, name):
        rows = self.spur("export", run, "--csv").rows
        return {int(r["step"]): float(r["value"]) for r in rows if r["run"] == "train" and r["tag"] == name}

    def weights(self, run, which="last"):
        data = (run / "checkpoints" / which / "weights.safetensors").read_bytes()
        start = 8 + struct.unpack("<Q", data[:8])[0]
        header, out = json.loads(data[8:start]), []
        for name in ("head.weight", "head.bias"):
            a, b = header[name]["data_offsets"]
            out += struct.unpack("<%df" % ((b - a) // 4), data[start + a:start + b])
        return out

    def first_weights(self, *overrides):
        return self.weights(self.train("optimizer.lr=0", "train.epochs=1", *overrides))

    def assertClose(self, found, expected, places=1e-5):
        self.assertEqual(len(found), len(expected))
        for one, other in zip(found, expected):
            self.assertLess(abs(one - other), places * (1 + abs(other)), "%s, expected %s" % (found, expected))


class Means(Numbers):
    def test_all_samples_count_the_same(self):
        """Also those of a last batch that is smaller, in training and in validation."""
        run = self.train("optimizer.lr=0", "data.batch_size=6", "train.epochs=2")
        weights = self.weights(run)
        for row in self.rows(run):
            self.assertClose([row["loss"], row["mae"], row["val_loss"], row["val_mae"]],
                             [mse(weights, self.training), mae(weights, self.training),
                              mse(weights, self.validation), mae(weights, self.validation)])
        for epoch in range(2):
            losses, errors = ([self.points(run, name)[4 * epoch + i] for i in (1, 2, 3, 4)]
                              for name in ("batch_loss", "batch_mae"))
            self.assertClose([(6 * sum(losses[:3]) + 2 * losses[3]) / 20, (6 * sum(errors[:3]) + 2 * errors[3]) / 20],
                             [mse(weights, self.training), mae(weights, self.training)])
        self.assertEqual([r["step"] for r in self.rows(run)], [4, 8])

    def test_a_batch_that_is_dropped(self):
        """Of 20 samples 18 are in the mean, so 2 of them are not; which ones differs from epoch to epoch."""
        run = self.train("optimizer.lr=0", "data.batch_size=6", "data.drop_last=true", "train.epochs=2")
        weights, rows = self.weights(run), self.rows(run)
        self.assertEqual([r["step"] for r in rows], [3, 6])
        squares = [(answer(weights, x) - y) ** 2 for x, y in self.training]
        for row in rows:
            left = sum(squares) - 18 * row["loss"]
            self.assertTrue(any(abs(left - squares[i] - squares[k]) < 1e-4 for i in range(20) for k in range(i)))
        self.assertClose([rows[0]["val_loss"]], [mse(weights, self.validation)])

    def test_validation_leaves_nothing_out(self):
        """Dropout is of the training alone, and leaves out others in every epoch."""
        row = ((1.0, -0.5), 2.0)
        self.data([row] * 20, [row] * 7)
        rows = self.rows(self.train("optimizer.lr=0", "model.layers=1", "model.width=8", "model.dropout=0.5"))
        self.assertEqual(len({r["val_loss"] for r in rows}), 1)
        self.assertEqual(len({r["loss"] for r in rows}), 4)

    def test_all_values_of_a_sample_count_the_same(self):
        """Of samples with several: on the same data training and validation find the same."""
        rows = samples(0, 20)
        text = "a,b,y,z\n" + "".join("%r,%r,%r,%r\n" % (*x, y, 9 - 3 * y * y) for x, y in rows)
        self.write("data/train.csv", text)
        self.write("data/val.csv", text)
        row = self.rows(self.train("data.target=y, z", "optimizer.lr=0", "data.batch_size=6", "train.epochs=1"))[0]
        self.assertClose([row["val_loss"], row["val_mae"]], [row["loss"], row["mae"]])
        self.assertGreater(row["val_mae"], 1)

    def test_numbers_that_overflow_in_validation(self):
        self.data(samples(0, 20), [((1.0, 1.0), 1e30)] * 7)
        r = self.spur("train", "a.ini", "train.epochs=2", "loss.name=mse", status=1)
        self.assertRegex(r.err, r"^spur train: validation after step 1: ")

    def test_every_so_many_steps(self):
        run = self.train("data.batch_size=6", "log.scalars_every=3")
        for name in ("batch_loss", "batch_learning_rate", "batch_gradient_norm"):
            self.assertEqual(sorted(self.points(run, name)), [3, 6, 9, 12, 15])
        self.assertEqual(self.points(self.train("log.scalars_every=0"), "batch_loss"), {})


class Steps(Numbers):
    def steps(self, weights, rates, change=lambda g: g):
        """Weights before each step and after the last one."""
        out = [weights]
        for rate in rates:
            g = change(gradient(out[-1], self.training))
            out.append([w - rate * d for w, d in zip(out[-1], g)])
        return out

    def check(self, run, path, rates):
        """Training's loss is that before the step, validation's that after it."""
        rows = self.rows(run)
        self.assertClose([r["loss"] for r in rows], [mse(w, self.training) for w in path[:-1]])
        self.assertClose([r["val_loss"] for r in rows], [mse(w, self.validation) for w in path[1:]])
        self.assertClose([r["learning_rate"] for r in rows], rates)
        self.assertClose([v for _, v in sorted(self.points(run, "batch_learning_rate").items())], rates)
        self.assertClose(self.weights(run), path[-1])

    def test_rates_of_epochs(self):
        """The first epoch has the first rate."""
        start = self.first_weights()
        rates = [0.1, 0.05, 0.025, 0.0125]
        path = self.steps(start, rates)
        for histograms in ("0", "epoch"):  # with stored gradients, too
            run = self.train("scheduler.name=exponential", "scheduler.gamma=0.5", "log.histograms_every=" + histograms)
            self.check(run, path, rates)
            norms = self.points(run, "batch_gradient_norm")
            self.assertClose([norms[i + 1] for i in range(4)], [norm(gradient(w, self.training)) for w in path[:4]])

    def test_rates_of_steps(self):
        """Two steps an epoch, each of the same gradient: an epoch's rate is that of its last step."""
        row = ((1.0, -0.5), 2.0)
        self.data([row] * 20, [row] * 7)
        start = self.first_weights()
        rates = [0.1 * 0.5**i for i in range(6)]
        run = self.train("scheduler.name=exponential", "scheduler.gamma=0.5", "scheduler.interval=step",
                         "data.batch_size=10", "train.epochs=3")
        path = self.steps(start, rates)
        self.assertClose(self.weights(run), path[-1])
        self.assertClose([r["learning_rate"] for r in self.rows(run)], rates[1::2])
        self.assertClose([r["loss"] for r in self.rows(run)],
                         [(mse(path[i], [row]) + mse(path[i + 1], [row])) / 2 for i in (0, 2, 4)])

    def test_one_cycle_gives_momentum(self):
        """Also to an optimizer without, as PyTorch's; and goes on with it after a break."""
        cycle = ["scheduler.name=one_cycle", "scheduler.anneal_strategy=linear", "scheduler.pct_start=0.5",
                 "scheduler.div_factor=4", "scheduler.final_div_factor=2.5"]
        rates, momenta = [0.025, 0.1, 0.055, 0.01], [0.95, 0.85, 0.9, 0.95]
        path, buffer = [self.first_weights()], [0, 0, 0]
        for rate, momentum in zip(rates, momenta):
            buffer = [momentum * b + g for b, g in zip(buffer, gradient(path[-1], self.training))]
            path.append([w - rate * b for w, b in zip(path[-1], buffer)])
        for own in "0", "0.5":
            self.check(self.train(*cycle, "optimizer.momentum=" + own), path, rates)
        halved = self.train(*cycle, "train.max_steps=2")
        self.assertClose(self.weights(halved), path[2])
        self.spur("resume", halved, "train.max_steps=4")
        self.check(halved, path, rates)
        self.check(self.train(*cycle, "scheduler.cycle_momentum=false"), self.steps(path[0], rates), rates)

    def test_clipping(self):
        """Gradients are cut before the step; what is logged is their norm before that."""
        start = self.first_weights()
        rates = [0.1] * 4
        run = self.train("train.clip_norm=0.5")
        path = self.steps(start, rates, lambda g: [v * min(1, 0.5 / norm(g)) for v in g])
        self.check(run, path, rates)
        self.assertClose([self.points(run, "batch_gradient_norm")[1]], [norm(gradient(start, self.training))])
        run = self.train("train.clip_value=0.25")
        self.check(run, self.steps(start, rates, lambda g: [max(-0.25, min(0.25, v)) for v in g]), rates)

    def test_the_rest_of_accumulation(self):
        """Three batches make a step; the fourth alone makes one of full length, and ends the epoch."""
        row = ((1.0, -0.5), 2.0)
        self.data([row] * 20, [row] * 7)
        start = self.first_weights()
        run = self.train("data.batch_size=5", "train.accumulate=3", "train.epochs=2", "scheduler.name=exponential",
                         "scheduler.gamma=0.5")
        path = self.steps(start, [0.1, 0.1, 0.05, 0.05])
        self.assertEqual([r["step"] for r in self.rows(run)], [2, 4])
        self.assertClose(self.weights(run), path[-1])
        self.assertClose([r["loss"] for r in self.rows(run)],
                         [(3 * mse(path[i], [row]) + mse(path[i + 1], [row])) / 4 for i in (0, 2)])

    def test_averages_are_validated_and_saved(self):
        start = self.first_weights()
        path = self.steps(start, [0.1] * 4)
        average, means = start, []
        for w in path[1:]:
            average = [0.75 * a + 0.25 * v for a, v in zip(average, w)]
            means.append(average)
        run = self.train("train.ema=0.75")
        self.assertClose([r["val_loss"] for r in self.rows(run)], [mse(w, self.validation) for w in means])
        self.assertClose([r["loss"] for r in self.rows(run)], [mse(w, self.training) for w in path[:-1]])
        self.assertClose(self.weights(run), means[-1])

    def test_steps_that_end_within_an_epoch(self):
        """What was trained of it is what its mean is over; it is validated, too."""
        row = ((1.0, -0.5), 2.0)
        self.data([row] * 20, [row] * 7)
        path = self.steps(self.first_weights(), [0.1] * 5)
        run = self.train("data.batch_size=5", "train.max_steps=5", "train.validate_every=10")
        rows = self.rows(run)
        self.assertEqual([r["step"] for r in rows], [4, 5])
        self.assertIsNone(rows[0]["val_loss"])
        self.assertClose([rows[1]["loss"], rows[1]["val_loss"]], [mse(path[4], [row]), mse(path[5], [row])])


class Best(Numbers):
    """Which epoch is best, and when the training stops, by the rule of Keras's EarlyStopping."""

    def rule(self, values, patience, delta=0.0, larger=False):
        """Number of the best epoch, and of the last one."""
        best, at = None, 0
        for i, value in enumerate(values):
            if best is None or (value > best + delta if larger else value < best - delta):
                best, at = value, i
            elif i - at >= patience > 0:
                return at + 1, i + 1
        return at + 1, len(values)

    def check(self, values, options, **rule):
        run = self.train(*options)
        best, last = self.rule(values, **rule)
        self.assertEqual(len(self.rows(run)), last)
        self.assertEqual(os.readlink(run / "checkpoints/best"), "step_%d" % best)
        return best, last

    def test_the_smallest_loss(self):
        """On its way to the training data's slope the model passes that of the validation data."""
        self.data(samples(0, 20), samples(20, 7, slope=0.5))
        options = ["train.epochs=40", "optimizer.lr=0.03"]
        values = [r["val_loss"] for r in self.rows(self.train(*options))]
        self.assertTrue(0 < values.index(min(values)) < 30)
        found = {self.check(values, options, patience=0), self.check(values, options + ["train.early_stopping=3"], patience=3)}
        steps = sorted(a - b for a, b in zip(values, values[1:]) if a > b)
        for delta in (steps[len(steps) // 2], steps[-1] * 1.5):
            found.add(self.check(values, options + ["train.early_stopping=4", "train.min_delta=%r" % delta], patience=4,
                                 delta=delta))
        self.assertEqual(len(found), 4)

    def test_one_of_several_metrics(self):
        self.data(samples(0, 20), samples(20, 7, slope=0.5))
        options = ["train.epochs=40", "optimizer.lr=0.03", "train.metrics=mse, mae"]
        columns = self.rows(self.train(*options))
        found = [self.check([r[name] for r in columns], options + ["train.early_stopping=3", "train.monitor=" + name],
                            patience=3) for name in ("val_mse", "val_mae", "mae")]
        self.assertEqual(len(set(found)), 3)

    def test_the_largest_metric(self):
        """Of classes: the accuracy goes up, and of the epochs that reach the same the first one is best."""
        text = "a,b,c\n" + "".join("%r,%r,%s\n" % (*x, "no" if y < 0.4 else "yes") for x, y in samples(0, 40))
        self.write("data/train.csv", text)
        self.write("data/val.csv", text)
        options = ["data.batch_size=40", "loss.name=cross_entropy", "train.epochs=25", "train.metrics=accuracy"]
        run = self.train(*options)
        values = [r["val_accuracy"] for r in self.rows(run)]
        self.assertGreater(max(values), values[0])
        self.assertEqual(values.count(max(values)) > 1, True)
        self.check(values, options, patience=0, larger=True)
        self.check(values, options + ["train.early_stopping=3"], patience=3, larger=True)
        self.check(values, options + ["train.early_stopping=5", "train.min_delta=0.1"], patience=5, delta=0.1, larger=True)

    def test_epochs_without_validation_do_not_count(self):
        run = self.train("optimizer.lr=0", "train.epochs=20", "train.validate_every=2", "train.early_stopping=2")
        rows = self.rows(run)
        self.assertEqual([r["epoch"] for r in rows if r["val_loss"] is not None], [2, 4, 6])
        self.assertEqual(len(rows), 6)
        self.assertEqual(os.readlink(run / "checkpoints/best"), "step_2")
        rows = self.rows(self.train("train.epochs=5", "train.validate_every=2"))
        self.assertEqual([r["epoch"] for r in rows if r["val_loss"] is not None], [2, 4, 5])


if __name__ == "__main__":
    main()
