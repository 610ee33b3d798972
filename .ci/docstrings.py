"""Check the first word of every docstring: `python .ci/docstrings.py [--count] [PATH …]`.

A docstring is a sentence, imperative or a noun phrase. One that begins with a relative or interrogative word, with a
preposition or in lower case only continues the name above it, and cannot be understood by itself. The check reads the
docstrings of modules, classes and functions, and the strings that document an assignment. Without a path it reads all
Python files that git tracks or would track.
"""

import argparse
import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WORDS = (
    *("What", "Who", "Whom", "Whose", "Which", "That", "Whether", "How", "Where", "While"),
    *("Of", "As", "With", "For", "To", "From", "Said", "The same"),
)
FORBIDDEN = re.compile(rf"(?:{'|'.join(WORDS)})\b(?!-)|[a-z]+(?![\w./-])")
"""The beginnings that are refused. A lower-case name with a dot, slash, hyphen, digit or capital in it is accepted."""


class Breach(NamedTuple):
    """A docstring with a forbidden beginning, and the line that it begins on."""

    line: int
    beginning: str


def breaches(source: str) -> Iterator[Breach]:
    """Yield the breaches in the source of a module, in the order of their lines."""
    for line, text in sorted(docstrings(ast.parse(source))):
        if found := FORBIDDEN.match(text.lstrip()):
            yield Breach(line, found[0])


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the docstrings in a tree, and the strings that directly follow an assignment, each with its line."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):  # of a lambda or a conditional expression, it is one node
            continue
        owns = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for before, statement in zip([None, *body], body, strict=False):
            documents = owns if before is None else isinstance(before, ast.Assign | ast.AnnAssign)
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text), lineno=line)) if documents:
                    yield line, text


def python_files() -> list[Path]:
    """Return the Python files of the repository that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for path in map(Path, listed) if path.exists())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", action="store_true", help="print only the number of breaches in each folder")
    parser.add_argument("paths", nargs="*", type=Path, help="Python files, or folders of them")
    arguments = parser.parse_args()
    files = [file for path in arguments.paths for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    found = [(file, breach) for file in files or python_files() for breach in breaches(file.read_text("utf-8"))]
    if arguments.count:
        folders = Counter(str(file.parent) for file, _ in found)
        print("\n".join(f"{count:4} {folder}" for folder, count in sorted(folders.items())))
    else:
        for file, breach in found:
            print(f"{file}:{breach.line}: a docstring begins with {breach.beginning!r}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
