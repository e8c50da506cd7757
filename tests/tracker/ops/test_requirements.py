"""What a fresh machine installs is what the program imports."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)


def pinned(*files: str) -> set[str]:
    lines = "\n".join((ROOT / name).read_text() for name in files).splitlines()
    return {line.partition("==")[0].partition("[")[0].lower() for line in lines if "==" in line}


def imported(*folders: str) -> set[str]:
    """The top-level packages that the code imports, whichever way and wherever."""
    names: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"tracker", "evals", "manage"}


def test_everything_that_is_imported_is_pinned():
    known = pinned("requirements.txt", "requirements-web.txt")
    distributions = packages_distributions()

    missing = {
        name
        for name in imported("tracker", "evals")
        if not known & {found.lower().replace("_", "-") for found in distributions.get(name, ())}
    }

    assert missing == set()
