# SPDX-License-Identifier: MIT
"""Drives headless Chromium over its DevTools protocol: open a page, evaluate, wait, take a screenshot."""
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

import websocket

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--remote-debugging-port=0",
    "--remote-allow-origins=*", "--no-default-browser-check", "--force-device-scale-factor=1",
]

# Searches through every shadow root; $$ gives all matches, $ the first, text() all visible text.
HELPERS = """
window.$$ = (selector, root = document) => {
  const found = [...root.querySelectorAll(selector)];
  for (const e of root.querySelectorAll('*')) if (e.shadowRoot) found.push(...$$(selector, e.shadowRoot));
  return found;
};
window.$ = (selector, root = document) => $$(selector, root)[0];
window.allText = (node) => {
  if (node.nodeType === 3) return node.nodeValue;
  if (node.nodeType === 1 && /^(STYLE|SCRIPT|TEMPLATE)$/.test(node.tagName)) return '';
  const children = node.shadowRoot ? [...node.shadowRoot.childNodes, ...node.childNodes] : [...node.childNodes];
  return children.map(allText).join(' ');
};
window.visible = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
"""


def find_chromium():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Page:
    """One tab. `problems` collects exceptions, console errors and failed requests."""

    def __init__(self, url):
        self.socket = websocket.create_connection(url, timeout=600)
        self.ids = itertools.count(1)
        self.problems = []
        self.requests = {}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=HELPERS)

    def call(self, method, **params):
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._event(message)

    def _event(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests[params["requestId"]] = params["request"]["url"]
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            self.problems.append(f"HTTP {params['response']['status']}: {params['response']['url']}")
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            text = details.get("exception", {}).get("description", details["text"])
            self.problems.append(f"exception: {text}")
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            texts = [str(a.get("value", a.get("description", ""))) for a in params["args"]]
            self.problems.append("console: " + " ".join(texts))

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)

    def open(self, url):
        self.call("Page.navigate", url="about:blank")
        self.problems.clear()
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise AssertionError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait(self, expression, what=None, seconds=600):
        """Waits until the JavaScript expression is true."""
        end, problem = time.monotonic() + seconds, None
        while time.monotonic() < end:
            try:
                value = self.evaluate(expression)
                if value:
                    return value
                problem = f"is {value!r}"
            except AssertionError as error:
                problem = error
            time.sleep(0.2)
        raise AssertionError(f"{what or expression}: {problem}; page problems: {self.problems[-5:]}")

    def settle(self, seconds=600):
        """Waits until two pictures in a row, half a second apart, are equal: animations have ended."""
        end, last = time.monotonic() + seconds, None
        while time.monotonic() < end:
            data = self.call("Page.captureScreenshot", format="png")["data"]
            if data == last:
                return
            last = data
            time.sleep(0.5)
        raise AssertionError("the page does not come to rest")

    def close(self):
        self.call("Page.close")
        self.socket.close()

    def screenshot(self, path):
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        with open(path, "wb") as file:
            file.write(data)
        return data

    def click(self, expression):
        """Clicks the middle of the element that the expression gives, as a mouse would."""
        x, y = self.wait(f"(() => {{ const e = {expression}; if (!e) return null; e.scrollIntoView({{block: "
                         f"'center'}}); const r = e.getBoundingClientRect(); "
                         f"return [r.x + r.width / 2, r.y + r.height / 2]; }})()", expression)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


class Chromium:
    """A browser process with an empty profile of its own."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="spur-chromium-")
        command = [find_chromium(), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.port = self._port()
        except BaseException:
            self.close()
            raise

    def _port(self):
        path = os.path.join(self.profile, "DevToolsActivePort")
        end = time.monotonic() + 600
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"chromium ended with status {self.process.returncode}")
            try:
                with open(path, encoding="ascii") as file:
                    lines = file.read().split()
                if lines:
                    return int(lines[0])
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError("chromium opened no DevTools port")

    def page(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=600) as response:
            return Page(json.load(response)["webSocketDebuggerUrl"])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
