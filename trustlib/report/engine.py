"""papermill's engine for reports: our kernel, soon ready, one deadline for all cells."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from traitlets import DottedObjectName

ENGINE = "trustlib"
READY_SECONDS = 60.0


class QuickClient(AsyncKernelClient):
    """Ready when the kernel has answered and its answer was seen on both channels.

    The stock client waits for silence instead, which costs most of a second.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or READY_SECONDS)
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            if await self._answered(asked):
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError("the kernel was not ready in time")

    async def _answered(self, asked: str) -> bool:
        try:
            while True:
                reply = await self.shell_channel.get_msg(timeout=0.5)
                if reply["parent_header"].get("msg_id") == asked:
                    break
            while True:
                message = await self.iopub_channel.get_msg(timeout=0.03)
                idle = message["content"].get("execution_state") == "idle"
                if idle and message["parent_header"].get("msg_id") == asked:
                    self._handle_kernel_info_reply(reply)
                    return True
        except Empty:
            return False


class ReportKernelManager(AsyncKernelManager):
    """Starts `trustlib.report.kernel` with this very interpreter, over sockets in a folder."""

    client_class = DottedObjectName("trustlib.report.engine.QuickClient")

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-P", "-m", "trustlib.report.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", name="python3")

    async def _async_pre_start_kernel(self, **kw: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = self.make_provisioner()
        return await super()._async_pre_start_kernel(**kw)

    def make_provisioner(self) -> Any:
        from trustlib.report.provisioning import provisioner

        return provisioner(self, nursery=self.nursery)

    nursery: str | None = None


class ReportEngine(NBClientEngine):
    """Runs the cells on a kernel manager that the caller made and will end."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,
        *,
        manager: ReportKernelManager | None = None,
        environment: dict[str, str] | None = None,
        on_cell: Callable[[int], None] | None = None,
        deadline: float = float("inf"),
        **ignored: Any,
    ) -> NotebookNode:
        def starting(cell: NotebookNode, cell_index: int) -> None:
            if on_cell is not None and cell.cell_type == "code":
                on_cell(cell_index)

        client = PapermillNotebookClient(
            nb_man,
            km=manager,
            kernel_name=kernel_name,
            timeout_func=lambda cell: max(0.01, deadline - time.monotonic()),
            startup_timeout=READY_SECONDS,
            iopub_timeout=60,
            shutdown_kernel="immediate",
            record_timing=False,
            coalesce_streams=True,
            on_cell_start=starting,
        )
        try:
            return client.execute(env=environment)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()


papermill_engines.register(ENGINE, ReportEngine)


def new_manager(run_folder: Path, sockets: Path, nursery: str | None) -> ReportKernelManager:
    """A kernel manager whose connection file and sockets are private to one run."""
    manager = ReportKernelManager(
        transport="ipc",
        ip=str(sockets / "k"),
        connection_file=str(run_folder / "kernel.json"),
        kernel_name="python3",
    )
    manager.nursery = nursery
    return manager


def execute(
    notebook: NotebookNode,
    *,
    manager: ReportKernelManager,
    environment: dict[str, str],
    seconds: float,
    on_cell: Callable[[int], None],
) -> None:
    """Run every cell of `notebook` in place.

    Raises whatever the engine raises when the kernel dies or the time is over; an
    exception in a cell does not raise, it is in that cell's outputs.
    """
    try:
        papermill_engines.execute_notebook_with_engine(
            ENGINE,
            notebook,
            kernel_name="python3",
            output_path=None,
            progress_bar=False,
            log_output=False,
            autosave_cell_every=0,
            manager=manager,
            environment=environment,
            on_cell=on_cell,
            deadline=time.monotonic() + seconds,
        )
    finally:
        stop(manager)


def stop(manager: ReportKernelManager) -> None:
    """Kill the kernel and its children at once, whatever state it is in."""

    async def kill() -> None:
        if manager.provisioner is not None and manager.has_kernel:
            await manager.provisioner.kill()
            await manager.provisioner.wait()
        await manager._async_cleanup_resources()

    asyncio.run(kill())
