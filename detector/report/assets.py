"""The style and the scripts that pages carry, and the policy that lets only them take effect."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

OWN_SCRIPTS = ("theme.js", "controls.js", "code.js", "flow.js")
DASHBOARD_SCRIPTS = ("theme.js", "dashboard.js")


@dataclass(frozen=True, slots=True)
class Assets:
    """Texts of the elements, and the Content-Security-Policy that names their hashes."""

    style: str
    scripts: tuple[str, ...]
    policy: str


@cache
def assets() -> Assets:
    """What stands in every page of a report."""
    return _assets(_text("style.css"), (_highlighter(), _layout(), *map(_text, OWN_SCRIPTS)))


@cache
def dashboard_assets() -> Assets:
    """What stands in the page of a scan."""
    style = "".join(map(_text, ("style.css", "lineage.css", "dashboard.css")))
    return _assets(style, tuple(map(_text, DASHBOARD_SCRIPTS)))


def _assets(style: str, scripts: tuple[str, ...]) -> Assets:
    hashes = " ".join(map(_hash, scripts))
    policy = f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    return Assets(style, scripts, policy)


@cache
def lineage_assets() -> Assets:
    """What stands in the page of a lineage, which has no scripts."""
    style = _text("style.css") + _text("lineage.css")
    policy = f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    return Assets(style, (), policy)


def _highlighter() -> str:
    """Highlight.js with its grammar of Python, as one classic script: its core is published as a module only."""
    core = re.sub(r"export\{(\w+) as default\};\s*$", r"return \1", _text("vendor/highlight.js/core.min.js"))
    grammar = _text("vendor/highlight.js/python.min.js")
    return f"{_licence('highlight.js')}const hljs=(()=>{{{core}}})();\n{grammar}"


def _layout() -> str:
    """Dagre, without the address of a file that is not there."""
    script = re.sub(r"^//# sourceMappingURL=.*$", "", _text("vendor/dagre/dagre.min.js"), flags=re.MULTILINE)
    return f"{_licence('dagre')}{script.rstrip()}\n"


def _licence(folder: str) -> str:
    return f"/*!\n{folder}\n\n{_text(f'vendor/{folder}/LICENSE').strip()}\n*/\n"


def _text(path: str) -> str:
    return (resources.files("detector.report") / "page" / path).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
