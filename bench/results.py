# SPDX-License-Identifier: MIT
"""Results of benchmarks as JSON files, and the comparison of two of them."""
import json


def write(path, result):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def parse(text):
    return json.loads(text)


def label(item, index):
    """The name of a list's item: that of its layer if it has one."""
    if isinstance(item, dict) and "layer" in item:
        layer = item["layer"]
        return ",".join(map(str, layer)) if isinstance(layer, list) else str(layer)
    return str(index)


def numbers(result, path=""):
    """All numbers of a result by their paths: {"nets/unet/train/spur": 93.5}."""
    if isinstance(result, bool) or result is None or isinstance(result, str):
        return {}
    if isinstance(result, (int, float)):
        return {path: float(result)}
    items = result.items() if isinstance(result, dict) else [(label(x, i), x) for i, x in enumerate(result)]
    found = {}
    for key, value in items:
        if key != "layer":
            found.update(numbers(value, f"{path}/{key}" if path else key))
    return found


def diff(path_a, path_b):
    """Prints every number that both results have, and the second's ratio to the first's."""
    a, b = numbers(read(path_a)), numbers(read(path_b))
    width = max([len(key) for key in a.keys() & b.keys()], default=4)
    print(f"{'':{width}} {'A':>12} {'B':>12} {'B / A':>8}")
    for key in a:
        if key in b:
            ratio = f"{b[key] / a[key]:8.3f}" if a[key] else f"{'-':>8}"
            print(f"{key:{width}} {a[key]:12.3f} {b[key]:12.3f} {ratio}")
    for name, only in (("A", a.keys() - b.keys()), ("B", b.keys() - a.keys())):
        if only:
            print(f"only in {name}: {', '.join(sorted(only))}")
