"""`make screens`: a small picture of every screen, light and dark, for docs/screens.md.

Run by hand after the console's looks have changed, and looked at: that is what they are for. The labs are real ones of
a fixed seed; each picture is of the window that a laptop shows.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from sandbox.host.local import LocalHost
from tests.browser.conftest import ARGS, CHROMIUM, served
from web.app import create_app
from web.catalogue import Catalogue, read_scenarios
from web.options import Options

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "screens"
PAGE = FOLDER.parents[1] / "screens.md"
SCENARIO = "ct-images-missing-in-ed"
SEED = "7"
WIDTH = 800

Prepare = Callable[[Page, str], None]


def _first_association(page: Page, lab: str) -> None:
    page.goto(f"{lab}/associations/?outcome=bad")
    page.locator("main table a, main ol a, main ul a").first.click()
    page.wait_for_load_state()


def _echo(page: Page, lab: str) -> None:
    page.goto(f"{lab}/nodes/CT1/tools/?tool=echo")
    page.get_by_role("button", name="Send C-ECHO").click()
    page.get_by_text("It did not work").first.wait_for(state="attached")


def _typed(page: Page, lab: str) -> None:
    page.goto(f"{lab}/terminal/?node=CT1")
    page.keyboard.type("echoscu -v -aet CT1 -aec ROUTER 198.18.20.20 104\n")
    page.wait_for_timeout(2500)


def _followed(page: Page, lab: str) -> None:
    page.goto(f"{lab}/follow/")
    page.locator("main table a").first.click()
    page.wait_for_load_state()


def _viewed(page: Page, lab: str) -> None:
    page.goto(f"{lab}/nodes/ARCHIVE/studies/?q=CT")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="View the images").click()
    page.wait_for_timeout(2500)


def _round(page: Page, lab: str) -> None:
    page.goto(f"{_console(lab)}/trainers/negotiation/")
    page.get_by_role("button", name="Begin a round").nth(1).click()
    page.wait_for_url("**/negotiation/*")


def _debriefed(page: Page, lab: str) -> None:
    page.goto(f"{lab}/debrief")
    skip = page.get_by_role("button", name="Skip my account")
    if skip.count():
        skip.click()
        page.wait_for_load_state()


def _console(lab: str) -> str:
    return lab.partition("/labs/")[0]


SCREENS: tuple[tuple[str, str, str | Prepare], ...] = (
    ("home", "Home: what runs, what is due, what is next", "{console}/"),
    ("catalogue", "The catalogue", "{console}/catalogue/"),
    ("path", "The learning path", "{console}/path/"),
    ("progress", "Progress", "{console}/progress/"),
    ("trainers", "A round at the negotiation trainer", _round),
    ("exam", "The exam simulation", "{console}/exam/"),
    ("questions", "Practising with questions", "{console}/questions/"),
    ("drill", "A drill: the conversation, the map, what to do next", "{lab}/"),
    ("follow", "A study, hop by hop", _followed),
    ("association", "An association, opened", _first_association),
    ("logs", "The logs of all nodes", "{lab}/logs"),
    ("history", "Who changed what", "{lab}/history/"),
    ("network", "The network", "{lab}/network"),
    ("node", "A node", "{lab}/nodes/ROUTER/"),
    ("configuration", "A node's configuration", "{lab}/nodes/CT1/configuration/"),
    ("queue", "What waits", "{lab}/nodes/CT1/queue/"),
    ("tools", "Tools of a node", _echo),
    ("terminal", "The terminal", _typed),
    ("viewer", "The viewer", _viewed),
    ("own-tools", "For your own tools", "{lab}/tools"),
    ("notebook", "The notebook", "{lab}/notebook/"),
    ("debrief", "The debrief", _debriefed),
)
"""Name, what it shows, and its address or how one gets there; in this order, since the last ends the drill."""


@contextmanager
def _console_running() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pacs-sandbox-screens-") as home:
        host = LocalHost(Path(home))
        app = create_app(Options(directory=Path(home)), host, Catalogue(read_scenarios))
        try:
            with served(app) as address:
                yield address
        finally:
            host.close()


def main() -> None:
    assert CHROMIUM, "Chromium is not installed: apt-get install chromium"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _console_running() as console, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 1280, "height": 800},
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = context.new_page()
            lab = _begin(page, console)
            for name, _words, where in SCREENS:
                if name == "debrief":
                    _give_up(page, lab)
                if isinstance(where, str):
                    page.goto(where.format(console=console, lab=lab))
                else:
                    where(page, lab)
                page.wait_for_timeout(600)
                _keep(page.screenshot(), FOLDER / f"{name}-{scheme}.webp")
                print(f"{name}, {scheme}")
            context.close()
        browser.close()
    PAGE.write_text(_document(), encoding="utf-8")


def _begin(page: Page, console: str) -> str:
    page.goto(console)
    token = page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
    answer = page.request.post(
        f"{console}/labs", form={"csrf_token": token, "scenario": SCENARIO, "seed": SEED}, max_redirects=0
    )
    return console + answer.headers["location"].rstrip("/")


def _give_up(page: Page, lab: str) -> None:
    page.goto(_console(lab))
    token = page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
    page.request.post(f"{lab}/drill/give-up", form={"csrf_token": token}, max_redirects=0)


def _keep(png: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS).save(
        path, quality=72, method=6
    )


def _document() -> str:
    parts = ["# The console's screens\n", "Made by `make screens`, with a real lab behind them. Light, then dark.\n"]
    for name, words, _where in SCREENS:
        pictures = " ".join(
            f"![{words}, {scheme}](images/screens/{name}-{scheme}.webp)" for scheme in ("light", "dark")
        )
        parts.append(f"## {words}\n\n{pictures}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
