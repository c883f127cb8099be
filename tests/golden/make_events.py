#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the event files in tests/golden/events with TensorBoard's own writer and messages.

usage: make_events.py [DIRECTORY]      (needs the packages tensorboard and numpy)

Three runs: `new` (tensor forms as TensorFlow 2 writes them), `old` (the forms of TensorFlow 1,
PyTorch and tensorboardX) and `odd` (element types, missing metadata, strange tags and steps).
The output depends on nothing but this script.
"""
import os
import struct
import sys
import zlib
from pathlib import Path
from unittest import mock

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "upb"
import numpy as np
from tensorboard.compat.proto import event_pb2, graph_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.audio import metadata as audio_metadata
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.mesh import metadata as mesh_metadata
from tensorboard.plugins.mesh import plugin_data_pb2 as mesh_pb2
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.plugins.text import summary_v2 as text_summary
from tensorboard.summary.writer import event_file_writer
from tensorboard.util import tensor_util

START = 1700000000


def png(width, height, gray):
    """A gray PNG of one level."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + bytes([gray]) * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def wav(samples, rate=8000):
    data = struct.pack("<%dh" % len(samples), *samples)
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
            + b"data" + struct.pack("<I", len(data)) + data)


class Run:
    def __init__(self, directory, suffix="", start=START):
        self.time = float(start)
        with mock.patch("time.time", lambda: float(start)), mock.patch("socket.gethostname", lambda: "host"), \
                mock.patch("os.getpid", lambda: 1), mock.patch.object(event_file_writer._global_uid, "get", lambda: 0):
            self.writer = event_file_writer.EventFileWriter(str(directory), filename_suffix=suffix)

    def event(self, step=0, **what):
        self.time += 0.25
        self.writer.add_event(event_pb2.Event(wall_time=self.time, step=step, **what))

    def add(self, step, summary):
        self.event(step, summary=summary)

    def value(self, step, **fields):
        self.add(step, summary_pb2.Summary(value=[summary_pb2.Summary.Value(**fields)]))

    def close(self):
        self.writer.close()


def metadata(plugin, content=b"", **more):
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content), **more)


def strings(values, shape):
    return tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING, string_val=values,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in shape]))


def layout():
    chart = layout_pb2.Chart(title="both", multiline=layout_pb2.MultilineChartContent(tag=["loss", "acc.*"]))
    return layout_pb2.Layout(category=[layout_pb2.Category(title="all", chart=[chart])])


def session_start():
    """HParams, with the entries of the map in a fixed order."""
    pb = hparams_summary.hparams_pb({"lr": 0.125, "optimizer": "adam", "nesterov": True, "layers": 3},
                                    trial_id="t1", start_time_secs=START)
    data = pb.value[0].metadata.plugin_data
    content = plugin_data_pb2.HParamsPluginData.FromString(data.content)
    data.content = content.SerializeToString(deterministic=True)
    return pb


def graph():
    g = graph_pb2.GraphDef()
    g.versions.producer = 22
    g.node.add(name="x", op="Placeholder")
    g.node.add(name="y", op="Relu", input=["x"])
    return g.SerializeToString()


def write_new(root):
    run = Run(root / "new", ".v2")
    run.event(0, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
    run.event(0, graph_def=graph())
    for step in range(10):
        run.add(step, scalar_summary.scalar_pb("loss", 1.0 / (step + 1), description="how *wrong*"))
        run.add(step, scalar_summary.scalar_pb("accuracy", step / 10))
        data = np.linspace(-1, 1, 100) * (step + 1)
        if step % 5 == 0:
            run.add(step, histogram_summary.histogram_pb("weights", data, buckets=5))
    run.add(0, histogram_summary.histogram_pb("empty", [], buckets=3))
    run.add(0, histogram_summary.histogram_pb("constant", [2.0] * 7, buckets=3))
    for step in range(2):
        images = [b"4", b"3", png(4, 3, 10 * step), png(4, 3, 10 * step + 100)][: 4 - step]
        run.value(step, tag="pictures", tensor=strings(images, [len(images)]),
                  metadata=image_metadata.create_summary_metadata(None, None))
    sound = audio_metadata.create_summary_metadata(None, None, audio_metadata.Encoding.Value("WAV"))
    run.value(3, tag="sound", metadata=sound, tensor=strings([wav([0, 1000, -1000]), b"one", wav([5]), b""], [2, 2]))
    run.value(3, tag="sound/flat", metadata=sound, tensor=strings([wav([7, 8])], [1]))
    run.add(0, text_summary.text_pb("note", "# Title\nline"))
    run.add(1, text_summary.text_pb("note", np.array(["a", "b", "ü"])))
    run.add(2, text_summary.text_pb("note", np.array([["a", "b"], ["c", ""], ["e", "f"]])))
    run.add(3, text_summary.text_pb("note", np.array([[["1", "2"]], [["3", "4"]]])))
    run.add(0, session_start())
    end = plugin_data_pb2.HParamsPluginData(session_end_info=plugin_data_pb2.SessionEndInfo(
        status=api_pb2.STATUS_SUCCESS, end_time_secs=START + 60))
    run.value(0, tag="_hparams_/session_end_info", metadata=metadata("hparams", end.SerializeToString()))
    curve = np.arange(6 * 4, dtype=np.float32).reshape(6, 4)
    run.value(2, tag="curve", tensor=tensor_util.make_tensor_proto(curve), metadata=metadata("pr_curves", b"\x10\x04"))
    kinds = [("VERTEX", np.float32), ("FACE", np.int32), ("COLOR", np.uint8)]
    for number, (kind, dtype) in enumerate(kinds):
        points = (np.arange(2 * 2 * 3) + 10 * number).reshape(2, 2, 3).astype(dtype)
        run.value(1, tag="shape_" + kind, tensor=tensor_util.make_tensor_proto(points),
                  metadata=mesh_metadata.create_summary_metadata(
                      "shape", None, mesh_pb2.MeshPluginData.ContentType.Value(kind), 14, points.shape, None, '{"camera": {}}'))
    run.value(0, tag="custom_scalars__config__", tensor=tensor_util.make_tensor_proto(layout().SerializeToString()),
              metadata=metadata("custom_scalars"))
    run.value(0, tag="keras", tensor=strings([b'{"class_name": "Sequential"}'], []), metadata=metadata("graph_keras_model", b"1"))
    run.close()


def write_old(root):
    run = Run(root / "old")
    values = np.array([-3.0, -1.0, -1.0, 0.5, 0.5, 0.5, 2.0])
    for step in range(5):
        run.value(step, tag="loss", simple_value=2.0 ** -step)
        histo = summary_pb2.HistogramProto(
            min=-3, max=2, num=7, sum=float(values.sum()), sum_squares=float((values**2).sum()),
            bucket_limit=[-10, -2, 0, 1, 5, 1.7976931348623157e308], bucket=[0, 1, 2, 3, 1, 0])
        run.value(step, tag="weights", histo=histo)
    run.value(0, tag="nothing", histo=summary_pb2.HistogramProto(bucket_limit=[1, 2], bucket=[0, 0]))
    run.value(4, tag="picture", image=summary_pb2.Summary.Image(height=3, width=4, colorspace=1, encoded_image_string=png(4, 3, 77)))
    run.value(4, tag="sound", audio=summary_pb2.Summary.Audio(
        sample_rate=8000, num_channels=1, length_frames=3, content_type="audio/wav", encoded_audio_string=wav([1, 2, 3])))
    run.event(4, tagged_run_metadata=event_pb2.TaggedRunMetadata(tag="step4", run_metadata=b"\x0a\x00"))
    run.event(4, log_message=event_pb2.LogMessage(level=event_pb2.LogMessage.WARN, message="careful"))
    run.value(5, tag="described", simple_value=1.5, metadata=summary_pb2.SummaryMetadata(
        display_name="Described", summary_description="of the old kind"))
    run.close()


def write_odd(root):
    run = Run(root / "odd" / "deep er", start=START + 100)
    scalars = metadata("scalars")
    number = tensor_util.make_tensor_proto
    half = tensor_pb2.TensorProto(dtype=types_pb2.DT_HALF, half_val=[0x3E00])
    bfloat = tensor_pb2.TensorProto(dtype=types_pb2.DT_BFLOAT16, half_val=[0xBFC0])
    elements = {
        "double": number(np.float64(0.1)), "int32": number(np.int32(-7)), "int64": number(np.int64(-(2**40))),
        "uint8": number(np.uint8(200)), "bool": number(np.bool_(True)), "half": half, "bfloat16": bfloat,
        "uint32": tensor_pb2.TensorProto(dtype=types_pb2.DT_UINT32, uint32_val=[4000000000]),
        "uint64": tensor_pb2.TensorProto(dtype=types_pb2.DT_UINT64, uint64_val=[2**60]),
        "int16_content": tensor_pb2.TensorProto(dtype=types_pb2.DT_INT16, tensor_content=b"\xfe\xff"),
        "one_element": number(np.array([2.5], dtype=np.float32)),
        "float_list": tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[0.75]),
    }
    for name, tensor in elements.items():
        run.value(1, tag="dtype/" + name, tensor=tensor, metadata=scalars)
    run.value(0, tag="lazy", tensor=number(np.float32(1)), metadata=scalars)
    run.value(1, tag="lazy", tensor=number(np.float32(2)))
    for step, value in [(0, float("nan")), (1, float("inf")), (2, float("-inf")), (3, -0.0), (4, 1e-45)]:
        run.value(step, tag="special", simple_value=value)
    for step in [-5, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]:
        run.value(step, tag="steps", simple_value=1)
    for step in [0, 1, 2, 1, 2, 2, 3]:
        run.value(step, tag="restarted", simple_value=step)
    for tag in ["", "/x", "a//b", "line\nbreak", "nul\0inside", "<b>html</b>", "Straße/größe 😀", "long/" + "x" * 2000]:
        run.value(0, tag=tag, simple_value=len(tag))
    run.value(0, tag="changes", simple_value=1)
    run.add(1, histogram_summary.histogram_pb("changes", [1.0, 2.0], buckets=2))
    run.value(0, tag="no_metadata", tensor=number(np.float32(9)))
    run.value(0, tag="other_plugin", tensor=number(np.arange(3, dtype=np.float32)), metadata=metadata("my_plugin", b"abc", data_class=2))
    run.value(0, tag="filled", tensor=tensor_pb2.TensorProto(
        dtype=types_pb2.DT_DOUBLE, double_val=[3.0], tensor_shape=tensor_shape_pb2.TensorShapeProto(
            dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=2), tensor_shape_pb2.TensorShapeProto.Dim(size=3)])),
        metadata=metadata("histograms"))
    two = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="pair/a", simple_value=1),
                                     summary_pb2.Summary.Value(tag="pair/b", simple_value=2)])
    run.add(9, two)
    run.close()


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "events"
    for old in root.rglob("*tfevents*"):
        old.unlink()
    write_new(root)
    write_old(root)
    write_odd(root)


if __name__ == "__main__":
    main()
