"""The kernel's shell: it reports an exception by `kernel.describe`, not by its message."""

from __future__ import annotations

import os

from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import Type

from trustlib.report.kernel import encode


class ReportShell(ZMQInteractiveShell):
    """Sends type, frames and our own structured message; in debug runs the rest too."""

    def _showtraceback(
        self, etype: type[BaseException], evalue: BaseException, stb: list[str]
    ) -> None:
        told = [encode(evalue)]
        if os.environ.get("TRUSTLIB_DEBUG"):
            told += [str(line) for line in stb]
        super()._showtraceback(etype, "", told)


class ReportKernel(IPythonKernel):
    """The stock kernel with that shell."""

    shell_class = Type(ReportShell)
