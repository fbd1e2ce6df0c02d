"""How a run ends: published, or kept aside with what it has to say."""

from __future__ import annotations

import contextlib
import html
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from trustlib.core.results import SCHEMA
from trustlib.report import history, manifest, publish
from trustlib.report.completion import Fault, results
from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.stages import Clock, Event, Tell, context, manifest_body


def release(job: Job, run_id: str, notebook: Any, clock: Clock, tell: Tell) -> RunOutcome:
    """Render and put in place, both under the report's lock."""
    import nbformat

    from trustlib.report import page

    found = results(notebook)
    document = results_document(job, run_id, found)
    with publish.lock(job.folder, waiting=lambda: tell(Event(job=job.name, stage="waiting"))):
        tell(Event(job=job.name, stage="render"))
        past = history.earlier_runs(job.folder)
        damage = history.damage(job.folder, past)
        body = manifest_body(job, run_id, clock, "complete") | {
            "snapshots": list(found.get("snapshots", [])),
            "earlier_runs": past,
        }
        fingerprint = manifest.findings_hash(document)
        revision, revisions = history.revisions(job.folder, past, fingerprint)
        given = context(job, run_id, clock, "complete") | {
            "results": document,
            "page": dict(found.get("page", {})),
            "revision": revision,
            "revisions": revisions,
            "manifest": body,
        }
        with clock.stage("render"):
            text = page.render(notebook, context=given)
        files = {
            "report.html": text.encode("utf-8"),
            "results.json": manifest.canonical(document),
            "executed.ipynb": nbformat.writes(notebook).encode("utf-8") + b"\n",
        }
        body |= {
            "findings_sha256": fingerprint,
            "stages_seconds": dict(clock.stages),
            "outputs": {name: manifest.sha256(data) for name, data in files.items()},
        }
        files["manifest.json"] = manifest.sealed(body)
        tell(Event(job=job.name, stage="publish"))
        with _unbroken():
            where = publish.publish(job.folder, run_id, files)
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status="complete",
        run_id=run_id,
        page=where,
        headline=document["headline"],
        verdict=document["verdict"],
        checks=document["checks"],
        message=damage,
        params=job.params_file,
    )


def results_document(job: Job, run_id: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """results.json of a complete run."""
    return {
        "schema": SCHEMA,
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": "complete",
        "headline": found["headline"],
        "verdict": found["verdict"],
        "estimates": found["estimates"],
        "checks": found["checks"],
        "series": found["series"],
    }


def keep_aside(job: Job, run_id: str, clock: Clock, fault: Fault) -> RunOutcome:
    """Keep what the run has to say beside the last good report, which stays as it is."""
    outcome = _outcome(job, run_id, fault)
    document = {
        "schema": SCHEMA,
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": fault.status,
        "headline": fault.what,
        "verdict": fault.status,
        "estimates": {},
        "checks": [],
        "series": {},
        "error": _told(fault),
    }
    try:
        with publish.lock(job.folder), _unbroken():
            given = context(job, run_id, clock, fault.status) | {
                "cell": fault.cell,
                "heading": fault.heading,
                "error": _told(fault),
                "frames": [dict(frame) for frame in fault.frames],
                "command": job.command,
                "last_good": history.last_good(job.folder),
            }
            files = {
                "failure.html": _failure_page(given).encode("utf-8"),
                "results.json": manifest.canonical(document),
            }
            body = manifest_body(job, run_id, clock, fault.status) | {
                "stages_seconds": dict(clock.stages),
                "outputs": {name: manifest.sha256(data) for name, data in files.items()},
            }
            files["manifest.json"] = manifest.sealed(body)
            where = publish.keep_attempt(job.folder, run_id, files)
    except OSError as error:
        unwritten = publish.plain_message(error, job.folder)
        return replace(outcome, message=f"{outcome.message}\n{unwritten.message()}")
    return replace(outcome, page=where)


def lost(job: Job, what: str) -> RunOutcome:
    """The outcome of a report whose process is gone, told by the one that survived it."""
    clock = Clock(started_at=datetime.now(UTC), stages={})
    fault = Fault(
        status="failed",
        what=what,
        next_step="look at the machine's memory, then run it again",
    )
    return keep_aside(job, publish.new_run_id(clock.started_at), clock, fault)


def _outcome(job: Job, run_id: str, fault: Fault) -> RunOutcome:
    message = fault.message()
    if job.debug and fault.private:
        message += f"\n\n{fault.private}"
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status=fault.status,  # type: ignore[arg-type]
        run_id=run_id,
        message=message,
        params=job.params_file,
    )


def _told(fault: Fault) -> dict[str, Any]:
    return {
        "type": fault.type,
        "what": fault.what,
        "where": fault.where,
        "nearest": fault.nearest,
        "next_step": fault.next_step,
    }


def _failure_page(context: Mapping[str, Any]) -> str:
    """The failure page; where even that cannot be made, its bare text."""
    try:
        from trustlib.report import page

        return page.failure(context)
    except Exception:
        told = context["error"]
        lines = [told[key] for key in ("what", "where", "nearest", "next_step") if told[key]]
        body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        title = html.escape(f"{context['notebook']}/{context['slug']}: {context['status']}")
        return f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Hold signals back while files are put in place: a matter of milliseconds."""
    held = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
