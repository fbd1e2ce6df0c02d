"""A clean parent process that has imported what reports need, and forks a kernel for each.

Run as ``python -P -m trustlib.report.nursery FD WAIT MODULES``: it listens on the socket FD
that it inherits. One connection is one kernel. The client sends one JSON line
``{"connection_file", "env", "cwd"}`` and then, at will, ``{"signal": n}``; it is told
``{"pid"}``, ``{"ready"}`` and, in the end, ``{"status"}``. A client that hangs up, or dies,
takes its kernel with it; so does the nursery, and so does whoever started the nursery.

The process has one Python thread and runs nothing but imports before it forks, so that a
forked kernel starts from the same state each time and knows nothing of its sisters.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trustlib.report.kernel import SOCKETS, die_with_parent, lighten, serve

# What any kernel imports while it starts.
KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "trustlib.report.shell",
    "trustlib.core",
)


@dataclass
class _Kernel:
    """One forked kernel and the connection that asked for it."""

    connection: socket.socket
    pid: int | None = None
    heard: bytes = b""


class Nursery:
    """Forks kernels on demand until it is told to stop."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.kernels: list[_Kernel] = []
        self.events = selectors.DefaultSelector()
        self.events.register(listener, selectors.EVENT_READ, None)
        # SIGCHLD wakes the selector through this pipe.
        self.woken, wake = socket.socketpair()
        self.woken.setblocking(False)
        wake.setblocking(False)
        self.wake = wake
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A module that is being imported may swallow what a signal raises, so it is noted too.
        self.stopped = self.serving = False
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        self.events.register(self.woken, selectors.EVENT_READ, None)

    def asked(self) -> bool:
        """True where somebody is waiting for a kernel."""
        return bool(self.events.select(timeout=0))

    def _stop(self) -> None:
        self.stopped = True
        if not self.serving:  # in there the signal wakes the selector
            sys.exit(0)

    def serve(self) -> None:
        """Until SIGTERM, which may have come already."""
        self.serving = True
        while not self.stopped:
            for key, _ in self.events.select():
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj is self.woken:
                    self.woken.recv(4096)
                else:
                    self._hear(key.data)
            self._reap()

    def close(self) -> None:
        """Take all kernels along, and the folder of the socket: its maker may be dead."""
        for kernel in self.kernels:
            _kill_group(kernel.pid)
        folder = Path(self.listener.getsockname()).parent
        if folder.name.startswith(SOCKETS):
            shutil.rmtree(folder, ignore_errors=True)

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        kernel = _Kernel(connection)
        self.kernels.append(kernel)
        self.events.register(connection, selectors.EVENT_READ, kernel)

    def _hear(self, kernel: _Kernel) -> None:
        try:
            data = kernel.connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._part(kernel)
            return
        *lines, kernel.heard = (kernel.heard + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "signal" in order:
                _signal_group(kernel.pid, order["signal"])
            elif kernel.pid is None:
                self._fork(kernel, order)

    def _fork(self, kernel: _Kernel, order: dict) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                self._become_kernel(kernel, order, parent)
            finally:
                os._exit(1)
        kernel.pid = pid
        _tell(kernel.connection, {"pid": pid})

    def _become_kernel(self, kernel: _Kernel, order: dict, parent: int) -> None:
        """In the child: let go of all that is the nursery's, then be a kernel."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        for signum in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        die_with_parent(parent)
        self.events.close()
        for other in self.kernels:
            if other is not kernel:
                other.connection.close()
        for own in (self.listener, self.woken, self.wake):
            own.close()
        os.environ.clear()
        os.environ.update(order["env"])
        time.tzset()
        os.chdir(order["cwd"])
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()  # as in a new interpreter: no shared state
        sys.argv = ["trustlib.report.kernel", "-f", order["connection_file"]]

        def ready() -> None:
            _tell(kernel.connection, {"ready": True})
            kernel.connection.close()

        serve(order["connection_file"], ready=ready)

    def _part(self, kernel: _Kernel) -> None:
        """The client has gone: so does its kernel."""
        self.events.unregister(kernel.connection)
        kernel.connection.close()
        _kill_group(kernel.pid)
        if kernel.pid is None:
            self.kernels.remove(kernel)

    def _reap(self) -> None:
        for kernel in list(self.kernels):
            if kernel.pid is None:
                continue
            # Not reaped yet, so that the group's number cannot belong to anybody else.
            look = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if os.waitid(os.P_PID, kernel.pid, look) is None:
                continue
            _kill_group(kernel.pid)
            _, status = os.waitpid(kernel.pid, 0)
            self.kernels.remove(kernel)
            if kernel.connection.fileno() >= 0:
                _tell(kernel.connection, {"status": os.waitstatus_to_exitcode(status)})
                self.events.unregister(kernel.connection)
                kernel.connection.close()


def _tell(connection: socket.socket, document: dict) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(document).encode() + b"\n")


def _signal_group(pid: int | None, signum: int) -> None:
    if pid is None:
        return
    try:
        os.killpg(pid, signum)
    except ProcessLookupError:
        # The child has not made its own group yet.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signum)


def _kill_group(pid: int | None) -> None:
    _signal_group(pid, signal.SIGKILL)


def _import(modules: Iterable[str], nursery: Nursery, *, wait: bool) -> None:
    """Import ahead; unless told to wait, stop as soon as somebody needs a kernel."""
    for name in modules:
        if not wait and nursery.asked():
            return
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main(arguments: list[str]) -> None:
    """See the module's text."""
    descriptor, wait, modules = arguments
    nursery = Nursery(socket.socket(fileno=int(descriptor)))
    try:
        # Not SIGKILL: what the kernels started themselves must go too.
        die_with_parent(int(os.environ["TRUSTLIB_PARENT"]), signal.SIGTERM)
        lighten()
        _import(KERNEL_MODULES, nursery, wait=True)
        _import(filter(None, modules.split(",")), nursery, wait=wait == "wait")
        if threading.active_count() != 1:
            sys.exit("an import started a thread: forked kernels would not be clean")
        gc.collect()
        gc.freeze()  # what is shared stays shared
        nursery.serve()
    finally:
        nursery.close()


if __name__ == "__main__":
    main(sys.argv[1:])
