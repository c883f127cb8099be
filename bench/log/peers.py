# SPDX-License-Identifier: MIT
"""The work of bench_log by the Python loggers: one measurement, one line of JSON.

usage: peers.py torch|tensorboardX|tensorboard|tensorflow scalars|mix COUNT DIRECTORY

Same tags, steps and values as bench_log; from the first call to the closed file. Exit status 77: the package is not there.
"""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

TAGS = ["train/loss", "train/accuracy", "train/learning_rate", "validation/loss", "validation/accuracy", "grad/norm",
        "grad/max", "weights/norm", "time/step", "memory/used"]
HISTOGRAM, SIDE, IMAGE_EVERY = 1000, 64, 20


class SummaryWriter:
    """torch.utils.tensorboard and tensorboardX, which have the same calls."""

    def __init__(self, module, directory):
        self.writer = module.SummaryWriter(directory)
        self.scalar = self.writer.add_scalar

    def histogram(self, tag, values, step):
        self.writer.add_histogram(tag, values, step, bins=30)

    def image(self, tag, pixels, step):
        self.writer.add_image(tag, pixels, step, dataformats="HWC")

    def close(self):
        self.writer.close()


class EventFileWriter:
    """TensorBoard's own writer: takes events; making them is part of the work."""

    def __init__(self, directory):
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
        self.event, self.summary = event_pb2.Event, summary_pb2.Summary
        self.writer = EventFileWriter(directory)

    def scalar(self, tag, value, step):
        summary = self.summary(value=[self.summary.Value(tag=tag, simple_value=value)])
        self.writer.add_event(self.event(wall_time=time.time(), step=step, summary=summary))

    def close(self):
        self.writer.close()


class TensorFlow:
    def __init__(self, directory):
        import tensorflow as tf
        self.tf, self.writer = tf, tf.summary.create_file_writer(directory)
        self.writer.set_as_default()

    def scalar(self, tag, value, step):
        self.tf.summary.scalar(tag, value, step=step)

    def histogram(self, tag, values, step):
        self.tf.summary.histogram(tag, values, step=step)

    def image(self, tag, pixels, step):
        self.tf.summary.image(tag, pixels[None], step=step)

    def close(self):
        self.writer.close()


def open_writer(peer, directory):
    if peer == "torch":
        from torch.utils import tensorboard
        return SummaryWriter(tensorboard, directory)
    if peer == "tensorboardX":
        import tensorboardX
        return SummaryWriter(tensorboardX, directory)
    return {"tensorboard": EventFileWriter, "tensorflow": TensorFlow}[peer](directory)


def scalars(writer, count):
    for i in range(count):
        writer.scalar(TAGS[i % len(TAGS)], float(i), i // len(TAGS))


def mix(writer, count):
    import numpy as np
    values = np.sin(np.arange(HISTOGRAM, dtype=np.float32)) * np.arange(HISTOGRAM, dtype=np.float32)
    n = np.arange(SIDE * SIDE * 3, dtype=np.uint64)
    pixels = (n * n >> 4).astype(np.uint8).reshape(SIDE, SIDE, 3)
    for step in range(count):
        for i, tag in enumerate(TAGS):
            writer.scalar(tag, float(step + i), step)
        writer.histogram("values", values, step)
        if step % IMAGE_EVERY == 0:
            writer.image("image", pixels, step)


def main():
    peer, what, count, directory = script.words(__doc__, 4, 4)
    count = int(count)
    try:
        writer = open_writer(peer, directory)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 77
    if what == "mix" and not hasattr(writer, "histogram"):
        return 77
    start = time.perf_counter()
    (mix if what == "mix" else scalars)(writer, count)
    writer.close()
    seconds = time.perf_counter() - start
    print(json.dumps({"what": what, "peer": peer, "count": count, "seconds": seconds, "rate": count / seconds}))
    return 0


if __name__ == "__main__":
    script.run(main)
