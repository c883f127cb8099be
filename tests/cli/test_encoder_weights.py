# SPDX-License-Identifier: MIT
# cli needs: engine
"""model.encoder_weights: a classifier's weights in the encoder of a segmentation network; and what files of others hold besides."""
import json
import struct

from harness import Cli, main

FEW = ("train.epochs=1", "data.samples=4", "data.val_samples=2", "data.batch_size=2", "data.workers=0",
       "data.size=32x32", "log.histograms_every=0", "log.images=0",
       "optimizer.name=sgd", "optimizer.momentum=0")  # which leaves no state to write, larger than the weights


def split(path):
    """A safetensors file's header and its bytes behind that."""
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return header, data[start:]


def tensors(path):
    """The bytes of each tensor of a safetensors file."""
    header, data = split(path)
    return {name: data[t["data_offsets"][0]:t["data_offsets"][1]] for name, t in header.items()}


class EncoderWeights(Cli):
    def setUp(self):
        super().setUp()
        self.write("c.ini", "[data]\nformat = shapes\n[model]\nname = resnet18\n")
        self.write("s.ini", "[data]\nformat = buildings\n[model]\nname = unet_resnet18\ndecoder_filters = 16\n")
        self.spur("train", "c.ini", *FEW, env={"SPUR_RUN_DIR": "classifier"})
        self.classifier = self.dir / "classifier/checkpoints/last/weights.safetensors"
        self.encoder = "model.encoder_weights=classifier/checkpoints/last/weights.safetensors"

    def test_from_a_classifier(self):
        """They arrive, and stay as they are where they are frozen; the classifier's last layer is left out. Other nets'
        are refused."""
        self.refused()
        r = self.spur("train", "s.ini", *FEW, self.encoder, "model.freeze=encoder", env={"SPUR_RUN_DIR": "run"})
        self.assertIn("weights.safetensors: 100 of 152 parameters loaded, 2 tensors not used", r.out)
        theirs, ours = tensors(self.classifier), tensors(self.dir / "run/checkpoints/last/weights.safetensors")
        for name in ("conv1.weight", "layer2.0.downsample.1.weight", "layer4.1.conv2.weight"):
            self.assertEqual(theirs[name], ours["encoder." + name])
        self.classifier.unlink()
        self.spur("resume", "run", "train.epochs=2")

    def refused(self):
        for override, why in (("model.name=unet", "'unet' has no encoder"),
                              ("model.weights=" + str(self.classifier), "expected one of the two"),
                              ("model.name=unet_resnet34", "no tensor 'layer1.2.conv1.weight', expected one of [64][64][3][3]"),
                              ("model.name=deeplabv3_resnet50", "tensor 'layer1.0.conv1.weight': found [64][64][3][3], ")):
            name = override.partition("=")[2]
            self.write("x.ini", "[data]\nformat = buildings\n[model]\nname = %s\n"
                       % (name if override.startswith("model.name") else "unet_resnet18"))
            r = self.spur("train", "x.ini", *FEW, self.encoder, override, status=2)
            self.assertIn("%s: " % self.encoder, r.err)
            self.assertIn(why, r.err)
        self.assertEqual([p for p in self.tree() if p.startswith("my_logs")], [])

    def test_an_auxiliary_classifier(self):
        """torchvision's files of DeepLab hold one: it is passed over. Nothing else that the net does not have is."""
        self.write("d.ini", "[data]\nformat = buildings\n[model]\nname = deeplabv3_resnet50\n")
        self.spur("train", "d.ini", *FEW, env={"SPUR_RUN_DIR": "plain"})
        header, data = split(self.dir / "plain/checkpoints/last/weights.safetensors")
        for name in ("aux_classifier.0.weight", "auxiliary.0.weight"):
            more = {**header, name: {"dtype": "F32", "shape": [2], "data_offsets": [len(data), len(data) + 8]}}
            text = json.dumps(more).encode()
            text += b" " * (-len(text) % 8)
            (self.dir / "more.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data + bytes(8))
            known = name.startswith("aux_")
            r = self.spur("train", "d.ini", *FEW, "model.weights=more.safetensors", "--dry-run", status=0 if known else 2)
            self.assertIn("parameters loaded, 1 tensors not used" if known else
                          "tensor 'auxiliary.0.weight' has no counterpart in the net", r.out if known else r.err)


if __name__ == "__main__":
    main()
