"""JupyterLab opens the notebook and gives it a kernel: the data scientist's way in."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Lab:
    """A JupyterLab server on loopback."""

    def __init__(self, port: int, token: str) -> None:
        self.base, self.token = f"http://127.0.0.1:{port}", token

    def call(self, path: str, body: dict[str, Any] | None = None) -> bytes:
        request = urllib.request.Request(
            self.base + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home, token = tmp_path_factory.mktemp("lab"), secrets.token_hex(16)
    words = [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
    ]
    words += [f"--port={port}", f"--notebook-dir={ROOT}", f"--IdentityProvider.token={token}"]
    with (home / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            words, stdout=log, stderr=log, env={"PATH": "/usr/bin:/bin", "HOME": str(home)}
        )
    try:
        made = Lab(port, token)
        for _ in range(300):
            try:
                made.call("/api/status")
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, (home / "log").read_text(encoding="utf-8")
                time.sleep(0.2)
        else:
            raise AssertionError((home / "log").read_text(encoding="utf-8"))
        yield made
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_the_lab_page_and_the_notebook_open(lab: Lab) -> None:
    assert b"JupyterLab" in lab.call("/lab/tree/notebooks/incident_sizing.ipynb")
    opened = json.loads(lab.call("/api/contents/notebooks/incident_sizing.ipynb"))
    tags = [cell["metadata"].get("tags", []) for cell in opened["content"]["cells"]]
    assert ["parameters"] in tags


def test_the_notebooks_kernel_is_there(lab: Lab) -> None:
    opened = json.loads(lab.call("/api/contents/notebooks/incident_sizing.ipynb"))
    name = opened["content"]["metadata"]["kernelspec"]["name"]
    session = {
        "path": "notebooks/incident_sizing.ipynb",
        "name": "incident_sizing",
        "type": "notebook",
        "kernel": {"name": name},
    }
    started = json.loads(lab.call("/api/sessions", session))
    assert started["kernel"]["name"] == name
