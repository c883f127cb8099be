# SPDX-License-Identifier: MIT
"""TensorBoard's own Python readers on what write_cases wrote: records, forms, and values as written.

usage: test_python_reader.py WRITE_CASES WORK_FOLDER
"""
import re
import struct
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing import event_file_loader, plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import STORE_EVERYTHING_SIZE_GUIDANCE, EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.plugins.audio import plugin_data_pb2 as audio_pb2
from tensorboard.plugins.hparams import plugin_data_pb2 as hparams_pb2
from tensorboard.util import tensor_util

import expected
from samples import write_samples

work = None
FLOAT, DOUBLE, INT32, UINT8, STRING = 1, 2, 3, 4, 7


def file_of(run):
    (path,) = [p for p in (work / "main" / run).iterdir() if "tfevents" in p.name]
    return path


def events(run):
    return list(event_file_loader.LegacyEventFileLoader(str(file_of(run))).Load())


def values(run):
    return [v for e in events(run) for v in e.summary.value]


class Files(unittest.TestCase):
    def runs(self):
        return sorted({p.parent.relative_to(work / "main") for p in (work / "main").rglob("*tfevents*")})

    def test_names_and_first_records(self):
        for run in self.runs():
            self.assertRegex(file_of(run).name, r"^events\.out\.tfevents\.1700000000\.[^/]+\.\d+\.\d+\.v2$")
            first, second = events(run)[:2]
            self.assertEqual((first.file_version, first.wall_time, first.step), ("brain.Event:2", 1700000000.0, 0))
            self.assertTrue(first.source_metadata.writer)
            self.assertEqual((second.session_log.status, second.step), (SessionLog.START, 0))

    def test_every_byte_is_read(self):
        """The reader's records, framed again, are the file; each is canonical proto3."""
        for run in self.runs():
            path = file_of(run)
            size = 0
            for record in event_file_loader.RawEventFileLoader(str(path)).Load():
                size += len(record) + 16
                event = Event.FromString(record)
                self.assertEqual(event.ByteSize(), len(record), f"{run}: not what protobuf packs: {event}")
            self.assertEqual(size, path.stat().st_size, run)

    def test_metadata_on_every_value(self):
        for run in self.runs():
            for value in values(run):
                self.assertTrue(value.metadata.plugin_data.plugin_name, f"{run}: {value.tag}")
                self.assertEqual(value.metadata.data_class, 0)
                self.assertEqual(value.WhichOneof("value"), "tensor")
                self.assertTrue(value.tensor.HasField("tensor_shape"))


class Forms(unittest.TestCase):
    """The tensor forms of TensorFlow 2."""

    def shape(self, value):
        return [d.size for d in value.tensor.tensor_shape.dim]

    def test_scalar(self):
        value = values("scalars")[0]
        self.assertEqual((value.metadata.plugin_data.plugin_name, value.metadata.plugin_data.content,
                          value.tensor.dtype, self.shape(value)), ("scalars", b"", FLOAT, []))
        self.assertEqual(value.tensor.tensor_content, struct.pack("<f", -10.0))

    def test_others(self):
        want = {
            # run: (tag, plugin, dtype, shape)
            "histograms": ("series", "histograms", DOUBLE, [30, 3]),
            "images": ("five", "images", STRING, [5]),
            "audio": ("stereo", "audio", STRING, [3, 2]),
            "pr_curves": ("eleven", "pr_curves", FLOAT, [6, 11]),
        }
        for run, (tag, plugin, dtype, shape) in want.items():
            value = next(v for v in values(run) if v.tag == tag)
            self.assertEqual((value.metadata.plugin_data.plugin_name, value.tensor.dtype, self.shape(value)),
                             (plugin, dtype, shape), run)

    def test_image_sizes(self):
        value = next(v for v in values("images") if v.tag == "five")
        self.assertEqual(list(value.tensor.string_val[:2]), [b"7", b"5"])

    def test_audio_encoding(self):
        value = next(v for v in values("audio") if v.tag == "mono")
        data = audio_pb2.AudioPluginData.FromString(value.metadata.plugin_data.content)
        self.assertEqual(data.encoding, audio_pb2.AudioPluginData.WAV)

    def test_text_ranks(self):
        shapes = [(v.tag, self.shape(v)) for v in values("text")]
        self.assertIn(("document", []), shapes)
        self.assertIn(("list", [6]), shapes)
        self.assertEqual([s for t, s in shapes if t == "table"], [[2, 3], [3, 2]])

    def test_mesh(self):
        found = {v.tag: (v.tensor.dtype, self.shape(v)) for v in values("mesh")}
        self.assertEqual(found, {"cube_VERTEX": (FLOAT, [2, 8, 3]), "cube_FACE": (INT32, [2, 12, 3]),
                                 "cube_COLOR": (UINT8, [2, 8, 3]), "cloud_VERTEX": (FLOAT, [1, 200, 3])})

    def test_session(self):
        found = {v.tag: v for v in values("hparams/trial_0") if v.tag.startswith("_hparams_/")}
        self.assertEqual(set(found), {"_hparams_/session_start_info", "_hparams_/session_end_info"})
        value = found["_hparams_/session_start_info"]
        self.assertEqual((value.tensor.dtype, self.shape(value)), (FLOAT, [0]))
        start = hparams_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
        self.assertEqual(start.hparams["nesterov"].WhichOneof("kind"), "bool_value")
        self.assertEqual(start.hparams["units"].number_value, 16)
        self.assertEqual(start.start_time_secs, expected.at(0))
        self.assertTrue(re.fullmatch(r"[0-9a-f]{64}", start.group_name), start.group_name)


class Accumulators(unittest.TestCase):
    def test_classic(self):
        """The accumulator that notebooks use."""
        accumulator = EventAccumulator(str(work / "main" / "scalars"), STORE_EVERYTHING_SIZE_GUIDANCE).Reload()
        want = expected.scalars()["scalars"]
        self.assertEqual(set(accumulator.Tags()["tensors"]), set(want))
        for tag in ("smooth", "many"):
            got = [(e.wall_time, e.step, float(tensor_util.make_ndarray(e.tensor_proto)))
                   for e in accumulator.Tensors(tag)]
            self.assertEqual(got, want[tag], tag)
        self.assertEqual(accumulator.SummaryMetadata("smooth").display_name, "Smooth")
        self.assertEqual(accumulator.FirstEventTimestamp(), expected.at(0))

    def test_plugin(self):
        """The accumulator behind the slow loader."""
        accumulator = plugin_event_accumulator.EventAccumulator(
            str(work / "main" / "histograms"), tensor_size_guidance={"histograms": 0}).Reload()
        got = accumulator.Tensors("series")
        for event, (wall, step, rows) in zip(got, expected.histograms()["series"], strict=True):
            self.assertEqual((event.wall_time, event.step), (wall, step))
            np.testing.assert_allclose(tensor_util.make_ndarray(event.tensor_proto), rows, rtol=1e-12, atol=1e-14)

    def test_graph(self):
        accumulator = EventAccumulator(str(work / "main" / "graph")).Reload()
        self.assertEqual({n.name for n in accumulator.Graph().node}, set(expected.GRAPH_NODES))


if __name__ == "__main__":
    program, work = sys.argv[1], Path(sys.argv[2])
    subprocess.run([program, work / "main", work / "experiment", write_samples(work)], check=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
