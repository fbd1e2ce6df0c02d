"""A real browser for the page's tests: headless Chromium over its debugging port."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


class Browser:
    """One page of one fresh browser. Collects dialogs, requests and console errors."""

    def __enter__(self) -> Browser:
        from websocket import create_connection

        assert CHROMIUM, "chromium is not installed"
        self.home = Path(tempfile.mkdtemp(prefix="chromium-"))
        self.process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={self.home}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        self.socket = create_connection(target["webSocketDebuggerUrl"], timeout=30)
        self.number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=10)
        shutil.rmtree(self.home, ignore_errors=True)

    def _port(self) -> str:
        marker = self.home / "DevToolsActivePort"
        for _ in range(300):
            if marker.exists() and (lines := marker.read_text().splitlines()):
                return lines[0]
            time.sleep(0.1)
        raise TimeoutError("chromium did not start")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        # A dialog answered meanwhile takes a number of its own: the answer awaited is this one's.
        number = self._send(method, params)
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]
            self._event(message)

    def _send(self, method: str, params: dict[str, Any]) -> int:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        return self.number

    def _event(self, message: dict[str, Any]) -> None:
        self.events.append(message)
        if message.get("method") == "Page.javascriptDialogOpening":
            # Unanswered, a dialog would block the page for ever.
            self._send("Page.handleJavaScriptDialog", {"accept": True})

    def device(self, *, width: int, height: int, phone: bool, scheme: str) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, page: Path) -> None:
        self.events.clear()
        self.call("Page.navigate", url=page.resolve().as_uri())
        for _ in range(200):
            self.settle(0.05)
            if self.script("document.readyState") == "complete":
                return
        raise TimeoutError("the page did not load")

    def settle(self, seconds: float) -> None:
        """Let the page run and its events arrive."""
        time.sleep(seconds)
        self.call("Runtime.evaluate", expression="0")

    def script(self, expression: str) -> Any:
        """The value of an expression, evaluated by the debugger (no policy applies to it)."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        return base64.b64decode(shot["data"])

    def seen(self, method: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") == method]
