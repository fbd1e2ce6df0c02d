"""Texts that try to run something on a page, and a notebook that carries them everywhere.

Each sets ``data-pwned`` on the document, opens a dialog, or asks ``evil.invalid`` for a file.
"""

from __future__ import annotations

import base64
from typing import Any

import pandas as pd
from nbformat import NotebookNode, v4

from tests.report import sample

RUN = "document.documentElement.setAttribute('data-pwned','1');alert(1)"
_B64 = base64.b64encode(f"<script>parent.{RUN}</script>".encode()).decode()

PAYLOADS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    "<script src=https://evil.invalid/x.js></script>",
    f'<img src=x onerror="{RUN}">',
    f'<img src="data:image/png;base64,AAAA" onerror="{RUN}" alt="x">',
    f'<svg onload="{RUN}"></svg>',
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><a xlink:href="javascript:{RUN}"><text y="20">click</text></a></svg>',
    f'<svg><animate onbegin="{RUN}" attributeName="x" dur="1s"></svg>',
    f'<svg><set attributeName="href" to="javascript:{RUN}"/></svg>',
    f'<svg><foreignObject><body onload="{RUN}"></body></foreignObject></svg>',
    '<svg><use href="https://evil.invalid/x.svg#a"/></svg>',
    '<svg><image href="https://evil.invalid/x.png"/></svg>',
    '<svg><rect style="fill:url(https://evil.invalid/x)"/></svg>',
    f'<svg><style><img src=x onerror="{RUN}"></style></svg>',
    f'<svg></p><style><a title="</style><img src=x onerror={RUN}>"></svg>',
    f'<math><mtext><table><mglyph><style><img src=x onerror="{RUN}"></style></table></math>',
    f"<math><annotation-xml encoding='text/html'><script>{RUN}</script></annotation-xml></math>",
    f'<a href="javascript:{RUN}">click</a>',
    f'<a href="JaVaScRiPt&colon;{RUN}">click</a>',
    f'<a href=" java\tscript:{RUN}">click</a>',
    f'<a href="data:text/html;base64,{_B64}">click</a>',
    f'<a href="data:text/csv,</a><script>{RUN}</script>" download="x">click</a>',
    f'<a href="vbscript:{RUN}">click</a>',
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f'<iframe src="javascript:parent.{RUN}"></iframe>',
    f'<object data="data:text/html;base64,{_B64}"></object>',
    '<embed src="https://evil.invalid/x.swf">',
    f'<details open ontoggle="{RUN}"><summary>x</summary></details>',
    f'<input autofocus onfocus="{RUN}">',
    f'<video><source onerror="{RUN}"></video>',
    '<meta http-equiv="refresh" content="0;url=https://evil.invalid/">',
    '<base href="https://evil.invalid/">',
    '<link rel="stylesheet" href="https://evil.invalid/x.css">',
    "<style>@import url(https://evil.invalid/x.css); p{background:url(//evil.invalid/y)}</style>",
    '<div style="background:url(https://evil.invalid/z);position:fixed;inset:0">x</div>',
    f'<form action="javascript:{RUN}"><button autofocus>x</button></form>',
    f'"><img src=x onerror="{RUN}">',
    f"'-->]]></title></style></textarea><svg/onload={RUN}>",
    f"</script><script>{RUN}</script>",
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>"></noscript>',
    f'<textarea></textarea><template><img src=x onerror="{RUN}"></template>',
    f'<!--><img src=x onerror="{RUN}">-->',
    f'<xmp><p title="</xmp><img src=x onerror={RUN}>">',
    f"[click](javascript:{RUN})",
    f"![x](https://evil.invalid/x.png) ![y](javascript:{RUN})",
    f"```mermaid\ngraph TD; A[<img src=x onerror={RUN}>]\n```",
    f"$$\\href{{javascript:{RUN}}}{{x}}$$ \\unicode{{<img src=1 onerror={RUN}>}}",
    f"<https://evil.invalid/><img src=x onerror='{RUN}'>",
    "_$_$ {{ 7*7 }} {% raw %} ${alert(1)} <%= 1 %>",
    "\u202e\u0000\x1b]8;;javascript:alert(1)\x07" + "x" * 10_000,
)

_PNG = base64.b64encode(b"not a picture").decode()


def notebook(payload: str) -> NotebookNode:
    """A notebook with `payload` in every place that a page shows."""
    frame = pd.DataFrame({payload: [payload, "b"]}, index=[payload, "y"])
    inside = payload.replace("</", "<\\/")
    svg = f'<svg viewBox="0 0 9 9" aria-label="{payload}"><text>{payload}</text>{payload}</svg>'
    caption = f"<figure>{svg}<figcaption>{payload}</figcaption></figure>"
    link = f'<a href="data:text/csv;charset=utf-8,{payload}" download="{payload}">CSV</a>'
    mime: list[dict[str, Any]] = [
        {"text/html": payload},
        {"text/html": f"<p>{payload}</p>{caption}{link}"},
        {"text/html": frame.to_html(escape=False)},
        {"text/html": frame.to_html()},
        {"text/html": f'<section class="headline"><p class="figure">{payload}</p></section>'},
        {"text/markdown": payload},
        {"image/svg+xml": svg},
        {"image/svg+xml": f"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x '{inside}'>]>{svg}"},
        {"image/png": payload},
        {"image/jpeg": _PNG},
        {"text/latex": payload, "text/plain": payload},
        {"application/javascript": RUN, "text/plain": payload},
        {"application/vnd.jupyter.widget-view+json": {"model_id": payload}},
        {"text/vnd.mermaid": payload},
    ]
    outputs = [v4.new_output("display_data", data) for data in mime]
    for output in outputs:
        output["metadata"] = {"alt": payload, "image/jpeg": {"alt": payload}}
    outputs += [
        v4.new_output("stream", name="stdout", text=payload),
        v4.new_output("stream", name="stderr", text=payload),
        v4.new_output("error", ename=payload, evalue=payload, traceback=[payload]),
    ]
    finding = sample.html(f'<p class="finding">{payload}</p><p>after</p>')
    attached = v4.new_markdown_cell("![x](attachment:a.svg)")
    attached["attachments"] = {"a.svg": {"image/svg+xml": payload, "text/html": payload}}
    return sample.book(
        sample.text(f"# {payload}"),
        sample.text(f"## {payload}\n\n{payload}\n\n### {payload}\n\n- {payload}"),
        sample.code(payload, finding, *outputs),
        sample.text(f"text\n\n{payload}\n\n> {payload}\n\n| a | b |\n|---|---|\n| {payload} | 1 |"),
        attached,
    )


def context(payload: str) -> dict[str, Any]:
    """What the runner knows, with `payload` for every text."""
    checks = [{"name": payload, "verdict": v, "label": payload, "text": payload}
              for v in ("pass", "warn", payload)]  # fmt: skip
    return sample.context(
        notebook=payload,
        slug=payload,
        run_id=payload,
        title=payload,
        owner=payload,
        as_of=payload,
        timezone=payload,
        started_at=payload,
        results={"headline": payload, "verdict": payload, "checks": checks},
        page={"period": payload},
        revisions=[{"run_id": payload, "ran_at": payload, "headline": payload, "verdict": payload}],
        manifest={
            "params_sha256": payload,
            "code": {"commit": payload, "dirty": True},
            "lock_sha256": payload,
            "python": payload,
            "packages": {"trustlib": payload},
            "snapshots": [{"source": payload, "rows": payload, "sha256": payload}],
            "command": payload,
        },
    )


def failed(payload: str) -> dict[str, Any]:
    """What the runner tells of an attempt, with `payload` for every text."""
    keys = ("what", "where", "nearest", "next_step", "type")
    return sample.failed(
        notebook=payload,
        slug=payload,
        run_id=payload,
        status=payload,
        title=payload,
        owner=payload,
        cell=payload,
        heading=payload,
        error=dict.fromkeys(keys, payload),
        frames=[payload, {"file": payload, "line": 1, "function": payload, "code": payload}],
        command=payload,
        last_good={"run_id": payload, "ran_at": payload},
    )
