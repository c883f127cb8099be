# SPDX-License-Identifier: MIT
"""Starts the real TensorBoard on a log directory and asks its HTTP endpoints.

    with TensorBoard(logdir, fast=True) as tb:
        tb.wait_for_runs({"run_a", "run_b"})
        tb.json("/data/plugin/scalars/scalars", run="run_a", tag="loss")
"""
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# 0 would keep everything while reading and then send nothing, so a large number.
ALL = 1000000000
SAMPLES = ",".join(f"{plugin}={ALL}" for plugin in (
    "scalars", "histograms", "distributions", "images", "audio", "text", "pr_curves", "mesh", "hparams",
    "custom_scalars", "graphs"))


class HttpError(Exception):
    """A response with a status other than 200."""

    def __init__(self, status, url, body):
        super().__init__(f"HTTP {status} for {url}: {body[:400]!r}")
        self.status = status


def eventually(check, seconds=600, pause=0.2):
    """Calls check() until it neither raises nor returns None; the last problem is raised after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            result = check()
            if result is not None:
                return result
            problem = AssertionError(f"{check} gave nothing for {seconds} s")
        except (AssertionError, HttpError, KeyError, IndexError, OSError) as error:
            problem = error
        if time.monotonic() > end:
            raise problem
        time.sleep(pause)


class TensorBoard:
    """One server process on a free port. `fast` chooses between its two loaders."""

    def __init__(self, logdir, fast, reload_interval=1, samples=SAMPLES):
        self.logdir, self.fast = str(logdir), fast
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", self.logdir, "--host", "127.0.0.1",
                   "--port", "0", "--reload_interval", str(reload_interval)]
        if samples:
            command += ["--samples_per_plugin", samples]
        if fast:
            command += ["--load_fast=true", "--extra_data_server_flags=--checksum"]
        else:
            command += ["--load_fast=false"]
        self.log = tempfile.NamedTemporaryFile("w+", prefix="tensorboard-", suffix=".log")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        try:
            self.base = eventually(self._address)
        except BaseException:
            self.close()
            raise

    def _address(self):
        match = re.search(r"http://[\w.:]+:\d+", self.output())
        if not match and self.process.poll() is not None:
            raise RuntimeError(f"tensorboard ended: {self.output()}")
        return match.group(0) if match else None

    def output(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def _open(self, path, params, data=None, headers=None):
        url = self.base + path
        if params:
            url += "?" + urllib.parse.urlencode(params, doseq=True)
        request = urllib.request.Request(url, data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                return response.read(), response.headers
        except urllib.error.HTTPError as error:
            raise HttpError(error.code, url, error.read()) from None

    def get(self, path, **params):
        """(bytes, headers) of a GET."""
        return self._open(path, params)

    def json(self, path, **params):
        return json.loads(self._open(path, params)[0])

    def post_json(self, path, value):
        data = json.dumps(value).encode()
        return json.loads(self._open(path, None, data, {"Content-Type": "application/json"})[0])

    def post_form(self, path, **fields):
        data = urllib.parse.urlencode(fields, doseq=True).encode()
        return json.loads(self._open(path, None, data)[0])

    def blob(self, path, query):
        """(bytes, content type) of an individual image or sound, named by the query that its list gave."""
        data, headers = self._open(path + "?" + query, None)
        return data, headers.get_content_type()

    def runs(self):
        return self.json("/data/runs")

    def wait_for_runs(self, expected, seconds=600):
        """Waits until exactly these runs are listed."""

        def check():
            runs = self.runs()
            assert set(runs) == set(expected), f"runs: {sorted(runs)}, expected {sorted(expected)}"
            return runs

        return eventually(check, seconds)

    def wait_for_scalar(self, run, tag, step, seconds=600):
        """Waits until the tag's last point has this step."""

        def check():
            points = self.json("/data/plugin/scalars/scalars", run=run, tag=tag)
            assert points and points[-1][1] == step, f"{run}/{tag}: last of {len(points)} is {points[-1:]}"
            return points

        return eventually(check, seconds)

    def wait_for_plugin(self, plugin, seconds=600):
        """Waits until the dashboard is active (the projector is so at the second listing)."""

        def check():
            listing = self.json("/data/plugins_listing")
            assert listing[plugin]["enabled"], f"{plugin} is not enabled"
            return listing

        return eventually(check, seconds)
