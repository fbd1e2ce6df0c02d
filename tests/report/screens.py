"""Pictures of a page for a person to look at: desk, phone, dark, and paper.

python tests/report/screens.py reports/incident_sizing/example/report.html /tmp/shots
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.report.browser import Browser


def shoot(page: Path, out: Path) -> list[Path]:
    """desktop.png, desktop-dark.png, phone.png, phone-dark.png, paper.pdf, paper-<n>.png."""
    out.mkdir(parents=True, exist_ok=True)
    made = []
    with Browser() as browser:
        for name, width, phone, scheme in (
            ("desktop", 1280, False, "light"),
            ("desktop-dark", 1280, False, "dark"),
            ("phone", 390, True, "light"),
            ("phone-dark", 390, True, "dark"),
        ):
            browser.device(width=width, height=844, phone=phone, scheme=scheme)
            browser.open(page)
            made.append(out / f"{name}.png")
            made[-1].write_bytes(browser.screenshot())
        browser.device(width=1280, height=844, phone=False, scheme="dark")
        browser.open(page)
        made.append(out / "paper.pdf")
        made[-1].write_bytes(
            base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
        )
    if shutil.which("pdftoppm"):
        subprocess.run(
            ["pdftoppm", "-r", "60", "-png", out / "paper.pdf", out / "paper"], check=True
        )
        made += sorted(out.glob("paper-*.png"))
    return made


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for path in shoot(Path(sys.argv[1]), Path(sys.argv[2])):
        print(path)
