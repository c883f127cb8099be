# SPDX-License-Identifier: MIT
"""Every dashboard's HTTP endpoint returns exactly what write_cases logged.

usage: test_endpoints.py fast|slow WRITE_CASES WORK_FOLDER
"""
import io
import json
import math
import subprocess
import sys
import unittest
import wave
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.distribution import compressor
from tensorboard.plugins.text import text_plugin

import expected
from samples import write_samples
from tb import HttpError, TensorBoard, eventually

RUNS = {"scalars", "scalars/validation", "histograms", "images", "audio", "text", "pr_curves", "graph", "layout",
        "mesh", "projector",
        *(f"hparams/trial_{i}{sub}" for i in range(5) for sub in ("", "/validation"))}
EXPERIMENT_RUNS = {".", "trial_0", "trial_1", "trial_0/validation", "trial_1/validation"}

HPARAMS_REQUEST = {
    "experimentName": "", "colParams": [], "startIndex": 0, "sliceSize": 100,
    "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
}

work = samples = None
main = experiment = None  # the two servers


def number(value):
    """A JSON number, or a string where JSON has none."""
    return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value, value) \
        if isinstance(value, str) else value


def same(a, b):
    """Bit-equal numbers; NaN equals NaN, and 0.0 is not -0.0."""
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


class Case(unittest.TestCase):
    maxDiff = 4000

    def assert_points(self, got, want, what):
        """Lists of (wall, step, number)."""
        self.assertEqual([(w, s) for w, s, _ in got], [(w, s) for w, s, _ in want], what)
        for (_, step, a), (_, _, b) in zip(got, want):
            self.assertTrue(same(number(a), b), f"{what} at step {step}: {a!r}, expected {b!r}")


class Scalars(Case):
    def test_tags(self):
        tags = main.json("/data/plugin/scalars/tags")
        for run, want in expected.scalars().items():
            self.assertEqual(set(tags[run]), set(want))
        smooth = tags["scalars"]["smooth"]
        self.assertEqual(smooth, {"displayName": "Smooth", "description": "<p>the <em>smooth</em> line</p>"})

    def test_points(self):
        for run, tags in expected.scalars().items():
            for tag, want in tags.items():
                got = main.json("/data/plugin/scalars/scalars", run=run, tag=tag)
                self.assert_points(got, want, f"{run}/{tag[:50]!r}")

    def test_two_runs_share_a_chart(self):
        runs = ["scalars", "scalars/validation"]
        got = main.post_form("/data/plugin/scalars/scalars_multirun", tag="smooth", runs=runs)
        for run in runs:
            self.assert_points(got[run], expected.scalars()[run]["smooth"], run)

    def test_unknown_tag(self):
        with self.assertRaises(HttpError) as caught:
            main.json("/data/plugin/scalars/scalars", run="scalars", tag="none")
        self.assertEqual(caught.exception.status, 404)


class Histograms(Case):
    def assert_rows(self, got, want, what):
        self.assertEqual(len(got), len(want), what)
        got, want = np.array(got, float).reshape(-1, 3), np.array(want, float).reshape(-1, 3)
        np.testing.assert_array_equal(got[:, 2], want[:, 2], what)
        scale = np.abs(want[:, :2]).max(initial=0)
        np.testing.assert_allclose(got[:, :2] / (scale or 1), want[:, :2] / (scale or 1), rtol=0, atol=1e-15,
                                   err_msg=what)

    def test_tags(self):
        tags = main.json("/data/plugin/histograms/tags")
        self.assertEqual(set(tags), {"histograms"})
        self.assertEqual(set(tags["histograms"]), set(expected.histograms()))
        self.assertEqual(tags["histograms"]["series"]["description"], "<p>sum of <em>two</em></p>")
        self.assertEqual(set(main.json("/data/plugin/distributions/tags")["histograms"]), set(expected.histograms()))

    def test_histograms(self):
        for tag, want in expected.histograms().items():
            got = main.json("/data/plugin/histograms/histograms", run="histograms", tag=tag)
            if tag == "long":  # the tab gets 51 of the 60 steps
                self.assertEqual(len(got), 51)
                steps = {step for _, step, _ in got}
                want = [point for point in want if point[1] in steps]
                self.assertEqual(want[-1][1], 59)
            self.assertEqual([p[:2] for p in got], [list(p[:2]) for p in want], tag)
            for a, b in zip(got, want):
                self.assert_rows(a[2], b[2], f"{tag} at step {b[1]}")

    def test_distributions(self):
        for tag, want in expected.histograms().items():
            got = main.json("/data/plugin/distributions/distributions", run="histograms", tag=tag)
            self.assertEqual([p[:2] for p in got], [list(p[:2]) for p in want], tag)
            for a, b in zip(got, want):
                rows = np.array(b[2], float).reshape(-1, 3)
                with np.errstate(all="ignore"):
                    compressed = compressor.compress_histogram(rows)
                scale = np.abs(rows[:, :2]).max(initial=0) or 1
                for (bps, x), (want_bps, y) in zip(a[2], compressed, strict=True):
                    self.assertEqual(bps, want_bps)
                    self.assertTrue(abs(number(x) - y) <= 1e-12 * scale or same(number(x), float(y)),
                                    f"{tag} at {b[1]}, {bps}: {x}, expected {y}")


class Images(Case):
    def fetch(self, tag, sample):
        """[(wall, step, bytes, type)]"""
        listed = main.json("/data/plugin/images/images", run="images", tag=tag, sample=sample)
        return [(i["wall_time"], i["step"], *main.blob("/data/plugin/images/individualImage", i["query"]))
                for i in listed]

    def assert_pixels(self, data, want, what):
        image = Image.open(io.BytesIO(data))
        self.assertEqual((image.format, image.mode), ("PNG", ["L", "LA", "RGB", "RGBA"][want.shape[2] - 1]), what)
        got = np.asarray(image).reshape(image.height, image.width, -1)
        np.testing.assert_array_equal(got, want, what)

    def test_tags(self):
        tags = main.json("/data/plugin/images/tags")
        self.assertEqual(set(tags), {"images"})
        encoded = {"encoded/png", "encoded/jpg", "encoded/gif", "animation"}
        self.assertEqual(set(tags["images"]), set(expected.images()) | encoded)
        for tag, want in expected.images().items():
            self.assertEqual(tags["images"][tag]["samples"], max(len(images) for _, _, images in want), tag)
        self.assertEqual(tags["images"]["rgb"]["description"], "<p><em>pixels</em></p>")

    def test_pixels(self):
        for tag, points in expected.images().items():
            for sample in range(max(len(images) for _, _, images in points)):
                want = [(w, s, images[sample]) for w, s, images in points if len(images) > sample]
                got = self.fetch(tag, sample)
                self.assertEqual([g[:2] for g in got], [w[:2] for w in want], f"{tag}, sample {sample}")
                for g, w in zip(got, want):
                    self.assertEqual(g[3], "image/png")
                    self.assert_pixels(g[2], w[2], f"{tag} at {w[1]}, sample {sample}")

    def test_encoded(self):
        for suffix, mime in (("png", "image/png"), ("jpg", "image/jpeg"), ("gif", "image/gif")):
            (got,) = self.fetch(f"encoded/{suffix}", 0)
            self.assertEqual(got[:2], (expected.at(2), 2))
            self.assertEqual(got[2], (samples / f"sample.{suffix}").read_bytes())
            self.assertEqual(got[3], mime)

    def test_animation(self):
        (got,) = self.fetch("animation", 0)
        image = Image.open(io.BytesIO(got[2]))
        want = expected.animation()
        self.assertEqual((image.n_frames, image.info.get("loop")), (len(want), 0))
        for k, frame in enumerate(want):
            image.seek(k)
            self.assertAlmostEqual(image.info["duration"], 125, delta=5)
            np.testing.assert_array_equal(np.asarray(image.convert("RGB")), frame, f"frame {k}")


class Audio(Case):
    def test_tags(self):
        tags = main.json("/data/plugin/audio/tags")
        self.assertEqual(set(tags), {"audio"})
        for tag, (_, points) in expected.sounds().items():
            self.assertEqual(tags["audio"][tag]["samples"], len(points[0][2]), tag)
        self.assertEqual(set(tags["audio"]), set(expected.sounds()))
        self.assertEqual(tags["audio"]["mono"]["description"], "<p>a <em>sound</em></p>")

    def test_samples(self):
        for tag, (rate, points) in expected.sounds().items():
            for sample in range(len(points[0][2])):
                got = main.json("/data/plugin/audio/audio", run="audio", tag=tag, sample=sample)
                self.assertEqual([(g["wall_time"], g["step"]) for g in got], [p[:2] for p in points])
                for g, (_, step, clips) in zip(got, points):
                    data, mime = main.blob("/data/plugin/audio/individualAudio", g["query"])
                    self.assertEqual((mime, g["contentType"]), ("audio/wav", "audio/wav"))
                    with wave.open(io.BytesIO(data)) as file:
                        want = clips[sample]
                        self.assertEqual(file.getparams()[:4], (want.shape[1], 2, rate, len(want)))
                        values = np.frombuffer(file.readframes(len(want)), "<i2").reshape(want.shape)
                    np.testing.assert_array_equal(values, want, f"{tag} at {step}, clip {sample}")


class Text(Case):
    def test_tags(self):
        tags = main.json("/data/plugin/text/tags")
        self.assertEqual({run: set(t) for run, t in tags.items() if t}, {"text": set(expected.texts())})

    def test_texts(self):
        for tag, points in expected.texts().items():
            for markdown in (True, False):
                got = main.json("/data/plugin/text/text", run="text", tag=tag, markdown=str(markdown).lower())
                want = [{"wall_time": w, "step": s,
                         "text": text_plugin.text_array_to_html(np.array(value, object), markdown)}
                        for w, s, value in points]
                self.assertEqual(got, want, tag)

    def test_html_is_harmless(self):
        got = main.json("/data/plugin/text/text", run="text", tag="document")
        self.assertIn("&lt;script&gt;", got[1]["text"])
        self.assertIn("<h1>Title</h1>", got[0]["text"])
        self.assertIn("<em>emphasis</em>", got[0]["text"])


class PrCurves(Case):
    def test_curves(self):
        tags = main.json("/data/plugin/pr_curves/tags")
        self.assertEqual(set(tags), {"pr_curves"})
        self.assertEqual(set(tags["pr_curves"]), set(expected.pr_curves()))
        for tag, points in expected.pr_curves().items():
            got = main.json("/data/plugin/pr_curves/pr_curves", run="pr_curves", tag=tag)["pr_curves"]
            self.assertEqual(len(got), len(points), tag)
            for g, (wall, step, rows) in zip(got, points):
                self.assertEqual((g["wall_time"], g["step"]), (wall, step))
                for name, want in rows.items():
                    if name in ("precision", "recall", "thresholds"):
                        np.testing.assert_allclose(g[name], want, rtol=1e-6, atol=1e-7,
                                                   err_msg=f"{tag} {step} {name}")
                    else:
                        self.assertEqual(g[name], want, f"{tag} at {step}: {name}")


class CustomScalars(Case):
    def test_layout(self):
        layout = main.json("/data/plugin/custom_scalars/layout")
        got = []
        for category in layout["category"]:
            charts = []
            for chart in category["chart"]:
                if "multiline" in chart:
                    charts.append((chart["title"], chart["multiline"]["tag"]))
                else:
                    charts.append((chart["title"], [(s["value"], s["lower"], s["upper"])
                                                    for s in chart["margin"]["series"]]))
            got.append((category["title"], charts))
        self.assertEqual(got, expected.layout())

    def test_scalars_by_regex(self):
        got = main.json("/data/plugin/custom_scalars/scalars", run="layout", tag="loss/.*")
        self.assertTrue(got["regex_valid"])
        self.assertEqual(set(got["tag_to_events"]), {"loss/a", "loss/b"})
        for tag, points in got["tag_to_events"].items():
            self.assert_points(points, expected.layout_scalars()[tag], tag)


class Hparams(Case):
    def groups(self, server, prefix):
        """{session name: (group, session)}"""
        answer = server.post_json("/data/plugin/hparams/session_groups", HPARAMS_REQUEST)
        return {s["name"]: (g, s) for g in answer["sessionGroups"] for s in g["sessions"]
                if s["name"].startswith(prefix)}

    def check_session(self, i, group, session, metrics):
        want = expected.session(i)
        self.assertEqual(group["hparams"], want["hparams"], f"trial {i}")
        self.assertEqual(session["status"], want["status"])
        self.assertEqual(session["startTimeSecs"], want["start"])
        self.assertEqual(session.get("endTimeSecs", 0), want["end"])
        got = {(m["name"]["group"], m["name"]["tag"]): m for m in session["metricValues"]}
        self.assertEqual(set(got), set(metrics))
        for name, key in metrics.items():
            self.assertEqual((got[name]["value"], got[name]["trainingStep"], got[name]["wallTimeSecs"]),
                             (want[key], 2, expected.at(2)), name)

    def test_sessions(self):
        sessions = self.groups(main, "hparams/")
        self.assertEqual(set(sessions), {f"hparams/trial_{i}" for i in range(5)})
        names = {}
        for i in range(5):
            group, session = sessions[f"hparams/trial_{i}"]
            names[i] = group["name"]
            if i < 4:  # a group shows the values of its first session
                self.check_session(i, group, session, {("", "accuracy"): "accuracy",
                                                       ("validation", "accuracy"): "validation"})
        self.assertEqual((names[3], names[4]), ("pair", "pair"))
        self.assertEqual(len(set(names.values())), 4)

    def test_derived_experiment(self):
        got = main.post_json("/data/plugin/hparams/experiment", {"experimentName": ""})
        infos = {i["name"]: i for i in got["hparamInfos"]}
        self.assertEqual({n: i["type"] for n, i in infos.items()},
                         {"lr": "DATA_TYPE_FLOAT64", "units": "DATA_TYPE_FLOAT64",
                          "optimizer": "DATA_TYPE_STRING", "nesterov": "DATA_TYPE_BOOL"})
        metrics = {(m["name"].get("group", ""), m["name"]["tag"]) for m in got["metricInfos"]}
        self.assertLessEqual({("", "accuracy"), ("validation", "accuracy")}, metrics)

    def test_metric_evals(self):
        got = main.post_json("/data/plugin/hparams/metric_evals", {
            "experimentName": "", "sessionName": "hparams/trial_1",
            "metricName": {"group": "validation", "tag": "accuracy"}})
        self.assert_points(got, [(expected.at(s), s, 0.25 + 0.125 * s + 1 / 64) for s in range(3)], "evals")

    def test_experiment_record(self):
        got = experiment.post_json("/data/plugin/hparams/experiment", {"experimentName": ""})
        self.assertEqual((got["name"], got["description"], got["user"], got["timeCreatedSecs"]),
                         ("search", "a *search*", "someone", expected.at(1)))
        infos = {i["name"]: i for i in got["hparamInfos"]}
        self.assertEqual(set(infos), {"lr", "optimizer", "nesterov"})
        self.assertEqual(infos["lr"]["displayName"], "learning rate")
        self.assertEqual(infos["lr"]["domainInterval"], {"minValue": 0.001, "maxValue": 0.5})
        self.assertEqual(infos["optimizer"]["domainDiscrete"], ["adam", "sgd"])
        self.assertEqual(infos["nesterov"]["type"], "DATA_TYPE_BOOL")
        (metric,) = got["metricInfos"]
        self.assertEqual((metric["name"], metric["displayName"], metric["description"], metric["datasetType"]),
                         ({"group": "validation", "tag": "accuracy"}, "val. accuracy", "share",
                          "DATASET_VALIDATION"))

    def test_experiment_sessions(self):
        sessions = self.groups(experiment, "")
        self.assertEqual(set(sessions), {"trial_0", "trial_1"})
        for i in range(2):
            group, session = sessions[f"trial_{i}"]
            got = {(m["name"]["group"], m["name"]["tag"]): m["value"] for m in session["metricValues"]}
            self.assertEqual(got, {("validation", "accuracy"): expected.session(i)["validation"]})
            want = {k: v for k, v in expected.session(i)["hparams"].items() if k != "units"}
            self.assertLessEqual(want.items(), group["hparams"].items())


class Graphs(Case):
    def test_graph(self):
        info = main.json("/data/plugin/graphs/info")
        self.assertEqual({run for run, i in info.items() if i["run_graph"]}, {"graph"})
        text, _ = main.get("/data/plugin/graphs/graph", run="graph", limit_attr_size=1024,
                           large_attrs_key="_too_large_attrs")
        graph = text_format.Parse(text.decode(), GraphDef())
        nodes = {node.name: node for node in graph.node}
        self.assertEqual(len(graph.node), len(nodes))
        self.assertEqual(set(nodes), set(expected.GRAPH_NODES))
        for name, (op, inputs, shapes, device) in expected.GRAPH_NODES.items():
            node = nodes[name]
            self.assertEqual((node.op, list(node.input), node.device), (op, inputs, device))
            got = [[d.size for d in shape.dim] for shape in node.attr["_output_shapes"].list.shape]
            self.assertEqual(got, shapes, name)
        attr = nodes["encoder/conv1/conv"].attr
        self.assertEqual((attr["activation"].s, attr["filters"].i, attr["scale"].f, attr["bias"].b,
                          list(attr["stride"].list.i), attr["T"].type), (b"relu", 16, 0.5, True, [1, 1], 1))


class Mesh(Case):
    def data(self, tag, kind, sample, step, dtype):
        raw, _ = main.get("/data/plugin/mesh/data", run="mesh", tag=tag, content_type=kind, sample=sample, step=step)
        return np.frombuffer(raw, dtype).reshape(-1, 3)

    def test_tags(self):
        tags = main.json("/data/plugin/mesh/tags")
        self.assertEqual({run: {t: i["samples"] for t, i in found.items()} for run, found in tags.items() if found},
                         {"mesh": {"cube": 2, "cloud": 1}})

    def test_cubes(self):
        for sample in range(2):
            listed = main.json("/data/plugin/mesh/meshes", run="mesh", tag="cube", sample=sample)
            self.assertEqual(sorted({(m["wall_time"], m["step"]) for m in listed}),
                             [(expected.at(s), s) for s in range(2)])
            self.assertEqual(sorted(m["content_type"] for m in listed), [1, 1, 2, 2, 3, 3])
            for m in listed:
                self.assertEqual(m["components"], 14)
                config = json.loads(m["config"]) if isinstance(m["config"], str) else m["config"]
                self.assertEqual(config, {"camera": {"cls": "PerspectiveCamera", "fov": 50}})
                self.assertEqual(m["data_shape"], [2, 12 if m["content_type"] == 2 else 8, 3])
            for step in range(2):
                vertices, faces, colors = expected.cube(sample, step)
                np.testing.assert_array_equal(self.data("cube", "VERTEX", sample, step, "<f4"), vertices)
                np.testing.assert_array_equal(self.data("cube", "FACE", sample, step, "<i4"), faces)
                np.testing.assert_array_equal(self.data("cube", "COLOR", sample, step, "u1"), colors)

    def test_cloud(self):
        (mesh,) = main.json("/data/plugin/mesh/meshes", run="mesh", tag="cloud", sample=0)
        self.assertEqual((mesh["step"], mesh["content_type"], mesh["components"]), (5, 1, 2))
        np.testing.assert_array_equal(self.data("cloud", "VERTEX", 0, 5, "<f4"), expected.cloud())


class Projector(Case):
    def test_points(self):
        main.wait_for_plugin("projector")
        self.assertEqual(main.json("/data/plugin/projector/runs"), ["projector"])
        info = main.json("/data/plugin/projector/info", run="projector")
        named = {e["tensorName"]: e for e in info["embeddings"]}
        points = next(n for n in named if n.startswith("points:"))
        zeros = next(n for n in named if n.startswith("zeros:"))
        self.assertEqual(len(named), 2)
        self.assertEqual(int(points.split(":")[1]), 3)
        self.assertEqual(named[points]["sprite"]["singleImageDim"], [8, 8])
        values, names, sprites = expected.points()
        raw, _ = main.get("/data/plugin/projector/tensor", run="projector", name=points)
        np.testing.assert_array_equal(np.frombuffer(raw, "<f4").reshape(50, 4), values)
        text, _ = main.get("/data/plugin/projector/metadata", run="projector", name=points)
        self.assertEqual([line.split("\t") for line in text.decode().splitlines()], names)
        raw, _ = main.get("/data/plugin/projector/tensor", run="projector", name=zeros)
        np.testing.assert_array_equal(np.frombuffer(raw, "<f4"), np.zeros(6))
        png, _ = main.get("/data/plugin/projector/sprite_image", run="projector", name=points)
        grid = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        side = grid.shape[1] // 8
        for i, want in enumerate(sprites):
            y, x = i // side * 8, i % side * 8
            np.testing.assert_array_equal(grid[y:y + 8, x:x + 8], want, f"sprite {i}")


class TimeSeries(Case):
    def series(self, **request):
        (answer,) = main.post_form("/data/plugin/timeseries/timeSeries", requests=json.dumps([request]))
        return answer["runToSeries"]

    def test_tags(self):
        tags = main.json("/data/plugin/timeseries/tags")
        for run, want in expected.scalars().items():
            self.assertEqual(set(tags["scalars"]["runTagInfo"][run]), set(want))
        self.assertEqual(set(tags["histograms"]["runTagInfo"]["histograms"]), set(expected.histograms()))
        sampled = tags["images"]["tagRunSampledInfo"]
        self.assertEqual(sampled["batch"]["images"]["maxSamplesPerStep"], 3)
        self.assertEqual(tags["scalars"]["tagDescriptions"]["smooth"], "<p>the <em>smooth</em> line</p>")

    def test_scalars(self):
        got = self.series(plugin="scalars", tag="smooth")
        self.assertEqual(set(got), {"scalars", "scalars/validation"})
        for run, points in got.items():
            self.assert_points([(p["wallTime"], p["step"], p["value"]) for p in points],
                               expected.scalars()[run]["smooth"], run)

    def test_histograms(self):
        got = self.series(plugin="histograms", tag="series", run="histograms")["histograms"]
        for p, (wall, step, rows) in zip(got, expected.histograms()["series"], strict=True):
            self.assertEqual((p["wallTime"], p["step"]), (wall, step))
            np.testing.assert_allclose([[b["min"], b["max"], b["count"]] for b in p["bins"]], rows, rtol=1e-12,
                                       atol=1e-14)

    def test_images(self):
        got = self.series(plugin="images", tag="batch", run="images", sample=1)["images"]
        self.assertEqual([p["step"] for p in got], [1, 2])
        for p in got:
            data, _ = main.get("/data/plugin/timeseries/imageData", imageId=p["imageId"])
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), expected.pixels(1, 3, p["step"]))


class Whole(Case):
    def test_no_complaints(self):
        """Neither loader has anything to say about our files."""
        for server in (main, experiment):
            bad = [line for line in server.output().splitlines()
                   if any(w in line.lower() for w in ("warn", "error", "traceback", "exception", "corrupt"))
                   and "compressor.py" not in line]  # overflows itself for values near 1e308
            self.assertEqual(bad, [])

    def test_plugins(self):
        listing = main.json("/data/plugins_listing")
        for plugin in ("timeseries", "scalars", "custom_scalars", "images", "audio", "graphs", "distributions",
                       "histograms", "text", "pr_curves", "hparams", "mesh"):
            self.assertTrue(listing[plugin]["enabled"], plugin)


def start(logdir, fast, runs):
    """A server that has loaded everything: each writer's last record is there."""
    server = TensorBoard(logdir, fast)
    try:
        server.wait_for_runs(runs)
        if logdir.name == "main":
            server.wait_for_scalar("projector", "loss", 1)
            server.wait_for_scalar("layout", "accuracy_high", 19)
            server.wait_for_scalar("hparams/trial_4", "accuracy", 2)
            eventually(lambda: main_is_loaded(server) or None)
        else:
            server.wait_for_scalar("trial_1/validation", "accuracy", 2)
    except BaseException:
        print(server.output())
        server.close()
        raise
    return server


def main_is_loaded(server):
    """The last tag of every other run is listed."""
    last = {"images": "animation", "audio": "float", "histograms": "ready/empty_ends", "pr_curves": "raw",
            "text": "table", "mesh": "cloud"}
    return all(tag in server.json(f"/data/plugin/{plugin}/tags").get(plugin, ()) for plugin, tag in last.items()) and \
        server.json("/data/plugin/graphs/info").get("graph", {}).get("run_graph") and \
        expected.ODD_TAGS[-1] in server.json("/data/plugin/scalars/tags")["scalars"]


def setUpModule():
    global main, experiment
    main = start(work / "main", LOADER == "fast", RUNS)
    experiment = start(work / "experiment", LOADER == "fast", EXPERIMENT_RUNS)


def tearDownModule():
    for server in (main, experiment):
        if server:
            server.close()


if __name__ == "__main__":
    LOADER, program, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    samples = write_samples(work)
    subprocess.run([program, work / "main", work / "experiment", samples], check=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
