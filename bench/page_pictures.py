"""Pictures of the page, taken of a running gateway: a stream that runs, one that has ended, and one that was cut.

    python -m bench.page_pictures docs/page --url http://127.0.0.1:8000/ --question "Is 91 a prime number?"

Needs Debian's chromium. The connection is cut by a proxy in between, as a network would cut it.
"""

import argparse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.fakes.browser import Browser, chromium
from tests.fakes.cutting_proxy import cutting_proxy

QUESTION = "Write a Python function that returns the n-th Fibonacci number, and say how it works."
SCREENS = {"wide": (1280, 800), "narrow": (320, 720)}
ANSWER_SECONDS = 600
STEPS_WHILE_RUNNING = 1
SETTLING_MILLISECONDS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000/")
    parser.add_argument("--question", default=QUESTION)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for screen, (width, height) in SCREENS.items():
            for scheme in ("light", "dark"):
                take(browser, options, f"{screen}-{scheme}", width, height, scheme)


def take(browser: Any, options: argparse.Namespace, name: str, width: int, height: int, scheme: str) -> None:
    target = urlsplit(options.url)
    with cutting_proxy(target.port or 80) as proxy:
        url = f"http://127.0.0.1:{proxy.port}{target.path}"
        with Browser.open(browser, url, color_scheme=scheme, device_scale_factor=1.5) as tab:
            page = tab.page
            page.set_viewport_size({"width": width, "height": height})
            page.set_default_timeout(ANSWER_SECONDS * 1000)
            tab.ask(options.question)
            ended = page.locator(".turn footer .actions")
            page.locator(".step .title").nth(STEPS_WHILE_RUNNING - 1).or_(ended).first.wait_for()
            if page.locator(".step").count():
                page.locator(".step").first.hover()
            picture(page, options.folder / f"running-{name}.png")
            ended.wait_for()
            page.locator("#question").hover()
            page.evaluate("scrollTo(0, 0)")
            picture(page, options.folder / f"finished-{name}.png")
            page.locator("#new").click()
            tab.ask(options.question)
            page.locator(".trace .chunk").first.wait_for()
            page.wait_for_timeout(SETTLING_MILLISECONDS)
            proxy.cut()
            page.locator(".note.problem").wait_for()
            picture(page, options.folder / f"failed-{name}.png")


def picture(page: Page, path: Path) -> None:
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    page.screenshot(path=path)
    print(path)


if __name__ == "__main__":
    main()
