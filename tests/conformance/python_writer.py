# SPDX-License-Identifier: MIT
"""Writes event files with TensorBoard's own Python writer and its own messages: new and old forms of every kind.

    expected = write_all(directory)

Returns what a reader must find: {run: {tag: (kind, [(step, value), ...])}}, value being a float, a list of
[left, right, count], a list of encoded images (bytes), a list of WAV files, or a nested list of strings.
"""
import io
import math
import struct
import wave

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.plugins.audio import metadata as audio_metadata
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.pr_curve import metadata as pr_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

START = 1700000000.0


class Run:
    """One directory; remembers what it was given."""

    def __init__(self, directory):
        self.writer = EventFileWriter(str(directory))
        self.expected = {}
        self.time = START

    def event(self, **fields):
        self.time += 0.5
        self.writer.add_event(event_pb2.Event(wall_time=self.time, **fields))

    def value(self, kind, tag, step, value, **fields):
        self.event(step=step, summary=summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, **fields)]))
        self.expected.setdefault(tag, (kind, []))[1].append((step, value))

    def tensor(self, kind, tag, step, value, proto, metadata):
        self.value(kind, tag, step, value, tensor=proto, metadata=metadata)

    def close(self):
        self.writer.close()
        return self.expected


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def wav(samples, rate=8000):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


def strings(shape, *values):
    """A string tensor; values are bytes or str, row by row."""
    proto = tensor_pb2.TensorProto(dtype=7)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    proto.string_val.extend(v.encode() if isinstance(v, str) else v for v in values)
    return proto


def plain(plugin, content=b""):
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def pixels_of(step, k):
    y, x = np.mgrid[0:6, 0:8]
    return np.stack([x * 30, y * 40, np.full_like(x, 10 * step + k)], axis=-1).astype(np.uint8)


def write_new_forms(directory):
    run = Run(directory)
    describe = scalar_metadata.create_summary_metadata("Loss", "the *loss*")
    for step in range(20):
        value = float(np.float32(math.cos(step / 4)))
        run.tensor("scalar", "loss", step, value, tensor_util.make_tensor_proto(value, dtype=np.float32), describe)
    for step, value in enumerate([math.nan, math.inf, -math.inf, -0.0, 3.4e38, 1e-45]):
        proto = tensor_pb2.TensorProto(dtype=1, tensor_content=struct.pack("<f", value))
        proto.tensor_shape.SetInParent()
        run.tensor("scalar", "odd/é", step, float(np.float32(value)), proto, plain("scalars"))
    for step in range(3):
        rows = [[i - step, i + 1.0 - step, float(i * step)] for i in range(30)]
        run.tensor("histogram", "weights", step, rows, tensor_util.make_tensor_proto(np.array(rows)),
                   plain("histograms"))
    for step in range(2):
        images = [png(pixels_of(step, k)) for k in range(3)]
        proto = strings([5], b"8", b"6", *images)
        run.tensor("image", "pictures", step, images, proto,
                   image_metadata.create_summary_metadata("", "", converted_to_tensor=False))
        clips = [wav([(i * (k + 1 + step)) % 2000 for i in range(100)]) for k in range(2)]
        proto = strings([2, 2], clips[0], b"first", clips[1], b"second")
        run.tensor("audio", "sound", step, clips, proto, audio_metadata.create_summary_metadata(
            "", "", encoding=audio_metadata.Encoding.Value("WAV"), converted_to_tensor=False))
    for step, value in enumerate(["# one *document*", ["a", "b"], [["k", "v"], ["ünï", "2"]]]):
        array = np.array(value, dtype=object)
        proto = strings(array.shape, *array.ravel())
        run.tensor("text", f"text/rank{step}", step, value, proto, text_metadata.create_summary_metadata("", ""))
    curve = [[3, 2, 1], [2, 1, 0], [0, 1, 2], [0, 1, 2], [0.6, 2 / 3, 1], [1, 2 / 3, 1 / 3]]
    run.tensor("pr_curve", "pr", 1, np.float32(curve).tolist(), tensor_util.make_tensor_proto(np.float32(curve)),
               pr_metadata.create_summary_metadata("pr", "", num_thresholds=3))
    return run.close()


def write_old_forms(directory):
    run = Run(directory)
    for step in range(5):
        run.value("scalar", "loss", step, step * 0.5, simple_value=step * 0.5)
    histo = summary_pb2.HistogramProto(min=-1, max=3, num=6, sum=5, sum_squares=15,
                                       bucket_limit=[0, 1, 2, 3], bucket=[1, 2, 0, 3])
    run.value("histogram", "histo", 2, [[-1, 0, 1], [0, 1, 2], [1, 2, 0], [2, 3, 3]], histo=histo)
    picture = png(pixels_of(3, 0))
    run.value("image", "picture", 4, [picture], image=summary_pb2.Summary.Image(
        height=6, width=8, colorspace=3, encoded_image_string=picture))
    clip = wav(list(range(50)))
    run.value("audio", "sound", 4, [clip], audio=summary_pb2.Summary.Audio(
        sample_rate=8000, num_channels=1, length_frames=50, encoded_audio_string=clip, content_type="audio/wav"))
    return run.close()


def write_session(directory):
    """A run with hyper-parameters, a layout and a SessionLog, and one that jumps back."""
    run = Run(directory)
    run.event(step=0, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))
    for value in hparams_summary.hparams_pb({"lr": 0.1, "name": "adam", "nesterov": True}).value:
        run.event(summary=summary_pb2.Summary(value=[value]))
    layout = layout_pb2.Layout(category=[layout_pb2.Category(title="all", chart=[layout_pb2.Chart(
        title="loss", multiline=layout_pb2.MultilineChartContent(tag=["loss"]))])])
    proto = strings([], layout.SerializeToString())
    run.event(summary=summary_pb2.Summary(value=[summary_pb2.Summary.Value(
        tag="custom_scalars__config__", tensor=proto, metadata=plain("custom_scalars"))]))
    for step in (1, 2, 3, 2, 3, 4):
        run.value("scalar", "back", step, float(step), simple_value=step)
    return run.close()


def write_all(root):
    return {name: write(root / name) for name, write in
            (("new", write_new_forms), ("old", write_old_forms), ("session", write_session))}
