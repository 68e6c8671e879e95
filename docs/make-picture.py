#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes docs/page.png, the README's picture: a site on loopback, the simulator's demo seed, a browser. Run by hand.

GRAPHGATE_BUILD names the directory with the programs (default: build/); --dark and --narrow show the page otherwise.
"""

import argparse
import base64
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

# pylint: disable=wrong-import-position
from browser import Chromium, Page  # noqa: E402
from sim.client import Sim  # noqa: E402
from stack.smoke import REALMS  # noqa: E402
from stack.stack import Stack  # noqa: E402


def picture(chromium, site, options):
    """Signs Sam in and takes the picture of the week; as PNG."""
    page = Page(chromium, site, REALMS[0])
    page.colours("dark" if options.dark else "light")
    page.size(*((360, 740) if options.narrow else (1280, 680)))
    chromium.cdp("Emulation.setScrollbarsHidden", hidden=True)
    page.open().click("signin")
    page.pick("sam")
    page.answer("Permissions requested", "accept")
    page.says("You are signed in.")
    # Going to a week also takes away what the status line says; the pointer goes where it points at nothing.
    page.click("next-week", "today")
    page.ready()
    page.js("document.activeElement.blur()")
    chromium.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    return base64.b64decode(chromium.cdp("Page.captureScreenshot", format="png")["data"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "docs" / "page.png")
    options = parser.parse_args()
    build = Path(os.environ.get("GRAPHGATE_BUILD", ROOT / "build"))
    with tempfile.TemporaryDirectory(prefix="gg-") as below:
        directory = Path(below)
        with Sim(directory / "sim", seed="demo") as sim:
            with Stack(directory, build, {"MICROSOFT_LOGIN_URL": sim.http}, sim=sim) as stack:
                chromium = Chromium(directory / "web")
                try:
                    options.file.write_bytes(picture(chromium.start(), stack.url, options))
                finally:
                    chromium.stop()
    print(f"{options.file}: {options.file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
