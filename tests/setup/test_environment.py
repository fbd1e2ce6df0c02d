"""The lock, environment.yml and pyproject say the same, and the lock installs from nothing."""

from __future__ import annotations

import re
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.setup import lock

ROOT = Path(__file__).resolve().parents[2]
CARD = {
    "jupyterlab", "papermill", "pandas", "matplotlib",
    "seaborn", "statsmodels", "linearmodels", "nbval",
}  # fmt: skip


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def names(pins: list[str]) -> set[str]:
    return {re.match(r"[a-zA-Z0-9._-]+", pin)[0].lower().replace("_", "-") for pin in pins}


def pip_part() -> list[str]:
    document = YAML(typ="safe").load(read("environment.yml"))
    (part,) = (item["pip"] for item in document["dependencies"] if isinstance(item, dict))
    return part


def test_environment_holds_the_same_pins_as_the_lock() -> None:
    assert [pin.replace('"', "'") for pin in pip_part()] == lock.pins(read("requirements.lock"))
    assert read("environment.yml") == lock.environment(read("requirements.lock"))


def test_the_tests_lock_only_adds_to_the_runs_lock() -> None:
    run, dev = lock.pins(read("requirements.lock")), lock.pins(read("requirements-dev.lock"))
    assert set(run) <= set(dev)
    assert {"pytest-xdist", "hypothesis"} <= names(dev) - names(run)


def test_every_pin_has_a_hash_and_no_lock_names_an_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "environment.yml"):
        text = read(name)
        assert not re.search(r"https?://|--index|--extra-index|--find-links|file:", text), name
    assert all(" --hash=sha256:" in pin for pin in lock.pins(read("requirements-dev.lock")))


def test_the_card_is_locked_and_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert names(pip_part()) >= CARD
    assert names(project["dependencies"]) >= CARD
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        assert re.search(r"[>=]=\d", wanted), f"{wanted} has no lower bound"
        assert "==" not in wanted, f"{wanted}: the lock pins, pyproject does not"


@pytest.mark.parametrize("name", sorted(CARD))
def test_each_package_of_the_card_is_used(name) -> None:
    """A fixed package that nothing uses would be dead weight in every installation."""
    files = [*ROOT.glob("trustlib/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "Makefile"]
    files = [path for path in files if path.parent.name != "setup"]
    use = {
        "jupyterlab": r"jupyter lab\b",
        "nbval": r"--nbval",
    }.get(name, rf"(^|\s)(import|from) {name}\b|import_module\(\"{name}|\"{name}[.\"]")
    assert any(re.search(use, path.read_text(encoding="utf-8"), re.M) for path in files), name


def test_the_pip_part_installs_into_an_empty_environment(tmp_path) -> None:
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    wanted = tmp_path / "pip-part.txt"
    wanted.write_text("\n".join(pip_part()) + "\n", encoding="utf-8")
    python = home / "bin" / "python"
    install = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    subprocess.run(
        [*install, "--quiet", "--no-compile", "--require-hashes", "-r", wanted],
        check=True,
        timeout=600,
    )
    subprocess.run([python, "-m", "pip", "check"], check=True, stdout=subprocess.DEVNULL)
    listing = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout
    there = dict(map(_name_and_version, listing.splitlines()))
    for pin in pip_part():
        name, version = _name_and_version(pin)
        # A pin with a marker may be for another Python or platform.
        if " ; " not in pin:
            assert there.get(name) == version, name


def _name_and_version(requirement: str) -> tuple[str, str]:
    name, version = re.match(r"([^=\[]+)(?:\[.*\])?==(\S+)", requirement).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), version
