"""Where a kernel's process comes from: a new interpreter, or a fork of the warm nursery."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner


class PlainProvisioner(LocalProvisioner):
    """A new interpreter; returns once its sockets are there, so that nobody polls for them."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        kwargs["env"] = dict(kwargs["env"], TRUSTLIB_PARENT=str(os.getpid()))
        info = await super().launch_kernel(cmd, **kwargs)
        last = Path(f"{info['ip']}-{info['hb_port']}")
        while not last.exists() and await self.poll() is None:
            await asyncio.sleep(0.01)
        return info


def provisioner(manager: Any, *, nursery: str | None) -> LocalProvisioner:
    """The provisioner for one kernel of `manager`."""
    return PlainProvisioner(
        kernel_id=manager.kernel_id or "report", kernel_spec=manager.kernel_spec, parent=manager
    )
