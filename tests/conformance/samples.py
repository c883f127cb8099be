# SPDX-License-Identifier: MIT
"""Makes an empty work folder with three encoded images in it."""
import shutil
from pathlib import Path

import numpy as np
from PIL import Image


def write_samples(work):
    """Empties `work`, returns the folder with sample.png, sample.jpg and sample.gif."""
    work = Path(work)
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "samples"
    folder.mkdir(parents=True)
    y, x = np.mgrid[0:24, 0:32]
    image = Image.fromarray(np.stack([x * 8, y * 10, (x + y) * 4], axis=-1).astype(np.uint8))
    image.save(folder / "sample.png")
    image.save(folder / "sample.jpg", quality=90)
    frames = [image.rotate(90 * k).convert("P") for k in range(3)]
    frames[0].save(folder / "sample.gif", save_all=True, append_images=frames[1:], loop=0, duration=200)
    return folder
