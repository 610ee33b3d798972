"""The documentation names only files, sections, make targets and commands that exist."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "cluster/README.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"(?<![\w./~-])(?:[a-z]\w*/)+[\w.-]*\.(?:py|md|yaml|json|svg|png|toml|lock|jsonl)\b")
"""A path of the repository in running text or an example."""
FOREIGN = re.compile(r"https?://\S+|~?(?:/\S+)+")
"""Addresses and absolute paths, which are not of the repository."""
MAKE = re.compile(r"(?:`|^ {4})make ([a-z][\w-]*)", re.MULTILINE)
COMMAND = re.compile(r"(?:`|^ {4})(reasoning-[a-z]+)(?![\w-])", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "architecture.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_section(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith("http"):
            continue
        name, _, section = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (section and section not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_in_the_text_exists(page: Path) -> None:
    text = FOREIGN.sub("", LINK.sub("", page.read_text("utf-8")))
    missing = [path for path in PATH.findall(text) if not ((ROOT / path).exists() or (page.parent / path).exists())]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(MAKE.findall(page.read_text("utf-8"))) <= targets


def test_every_command_is_installed_by_the_package() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    named = {name for page in PAGES for name in COMMAND.findall(page.read_text("utf-8"))}
    assert named == {"reasoning-ask", "reasoning-gateway"}
    assert named <= set(scripts)
