"""Where a kernel's process comes from: a fork of the warm nursery, or a new interpreter."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

READY_SECONDS = 60.0
_POLL_SECONDS = 0.005


class PlainProvisioner(LocalProvisioner):
    """A new interpreter; ready once its sockets are there, so that nobody polls for them."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        kwargs["env"] = dict(kwargs["env"], TRUSTLIB_PARENT=str(os.getpid()))
        # What a dying interpreter prints may hold data values, and would tear the display.
        kwargs |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        info = await super().launch_kernel(cmd, **kwargs)
        last = Path(f"{info['ip']}-{info['hb_port']}")
        while not last.exists() and await self.poll() is None:
            await asyncio.sleep(_POLL_SECONDS)
        return info

    async def wait(self) -> int | None:
        """As the base class does it, without its tenth of a second between looks."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(_POLL_SECONDS)
        return await super().wait()


class WarmProvisioner(PlainProvisioner):
    """A fork of the nursery; a new interpreter where the nursery does not answer."""

    address = ""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        request = {
            "connection_file": cmd[cmd.index("-f") + 1],
            "env": kwargs["env"],
            "cwd": str(Path.cwd()),
        }
        try:
            forked = ForkedKernel(self.address, request)
        except (OSError, EOFError):
            return await super().launch_kernel(cmd, **kwargs)
        self.process: Any = forked
        self.pid = forked.pid
        self.pgid = None  # signals go through the nursery, which knows who still lives
        return self.connection_info


class ForkedKernel:
    """A kernel that is the nursery's child, with what jupyter_client uses of a Popen.

    Raises
    ------
    OSError, EOFError
        If the nursery is not there, or the kernel dies before it is ready.
    """

    stdin = stdout = stderr = None

    def __init__(self, address: str, request: dict[str, Any]) -> None:
        self.returncode: int | None = None
        self.pid: int | None = None
        self._heard = b""
        self._ready = False
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connection.connect(address)
            self._send(request)
            deadline = time.monotonic() + READY_SECONDS
            while not self._ready:
                self._listen(deadline - time.monotonic())
                if self.returncode is not None:
                    raise EOFError("the kernel died before it was ready")
        except BaseException:
            self._connection.close()
            raise

    def poll(self) -> int | None:
        """The exit status (negative: the signal), None while it lives."""
        while self.returncode is None and self._listen(0):
            pass
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Block until it is over."""
        deadline = time.monotonic() + (READY_SECONDS if timeout is None else timeout)
        while self.returncode is None:
            self._listen(deadline - time.monotonic())
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """To the kernel and all its children."""
        if self.returncode is None:
            try:
                self._send({"signal": int(signum)})
            except OSError:
                self._over(-signal.SIGKILL)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _send(self, document: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(document).encode() + b"\n")

    def _listen(self, seconds: float) -> bool:
        """Take in one message; False where none came (which raises if time was given)."""
        if seconds < 0:
            raise TimeoutError("the nursery did not answer in time")
        self._connection.settimeout(seconds)
        try:
            data = self._connection.recv(4096)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            data = b""
        if not data:  # the nursery is gone, and its kernels with it
            if self.pid is not None:
                with contextlib.suppress(OSError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._over(-signal.SIGKILL)
            return True
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            self.pid = told.get("pid", self.pid)
            self._ready = self._ready or "ready" in told
            if "status" in told:
                self._over(told["status"])
        return True

    def _over(self, status: int) -> None:
        self.returncode = status
        self._connection.close()


def provisioner(manager: Any, *, nursery: str | None) -> LocalProvisioner:
    """The provisioner for one kernel of `manager`."""
    if nursery is None:
        return PlainProvisioner(kernel_id="report", kernel_spec=manager.kernel_spec, parent=manager)
    warm = WarmProvisioner(kernel_id="report", kernel_spec=manager.kernel_spec, parent=manager)
    warm.address = nursery
    return warm
