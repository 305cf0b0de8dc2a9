"""Documentation that is kept true: it knows every option and exit code, its links lead somewhere, its commands run."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from detector import settings

ROOT = Path(__file__).parent.parent
SKIPPED_FOLDERS = {".git", ".venv", "fixtures", "node_modules", "build", "dist"}
PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not SKIPPED_FOLDERS.intersection(page.relative_to(ROOT).parts[:-1])
)
FORBIDDEN_WORDS = re.compile(r"stolen|guilt|plagiari|\bthie(f|ves)\b|\btheft|\bcheat|culprit", re.IGNORECASE)
DISTRIBUTION = "ml-plagiarism-detector"
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "detector", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@cache
def _help(*command: str) -> str:
    run = _run(*command, "--help")
    assert run.returncode == 0, run.stderr
    return run.stdout


def _section(text: str, heading: str) -> str:
    """The lines of a help page below `heading` that are indented."""
    found = re.search(rf"^ *{heading}:\n((?:  .*\n)+)", text, re.MULTILINE)
    assert found, f"help has no section {heading!r}"
    return found.group(1)


@cache
def _commands(*group: str) -> tuple[str, ...]:
    """Every command that does something, as it is typed: "compare", "baseline update"."""
    names = re.findall(r"^  ([a-z]+) ", _section(_help(*group), "Commands"), re.MULTILINE)
    found: list[str] = []
    for name in names:
        has_commands = re.search(r"^Commands:$", _help(*group, name), re.MULTILINE)
        found += _commands(*group, name) if has_commands else [" ".join((*group, name))]
    return tuple(found)


def _options(*command: str) -> set[str]:
    """The option names at the beginnings of the lines of a help page."""
    lines = re.findall(r"^  (-.*?)(?:  |$)", _section(_help(*command), "Options"), re.MULTILINE)
    return {option for line in lines for option in OPTION.findall(line)}


def _documented(text: str) -> set[str]:
    """The option names in the first cells of a page's tables."""
    return {option for cell in re.findall(r"^\| (`-[^|]*) \|", text, re.MULTILINE) for option in OPTION.findall(cell)}


@cache
def _cli_page() -> dict[str, str]:
    """`docs/cli.md`, its parts by second-level heading; "" is what comes before the first."""
    first, *parts = (ROOT / "docs/cli.md").read_text("utf-8").split("\n## ")
    return {"": first} | {part.partition("\n")[0]: part for part in parts}


def _bash_blocks() -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"^```bash\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)


# --- the command line ---


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    documented = re.findall(r"^`detector ([a-z ]+)`$", "\n".join(_cli_page()), re.MULTILINE)
    assert sorted(documented) == sorted(_commands())
    assert _commands()


def test_every_option_of_the_program_is_documented_and_every_documented_one_exists() -> None:
    assert _documented(_cli_page()[""]) == _options()


def test_every_option_of_every_command_is_documented_and_every_documented_one_exists() -> None:
    for command in _commands():
        assert _documented(_cli_page()[f"`detector {command}`"]) == _options(*command.split()), command


def test_every_exit_code_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"^\| (\d+) \|", _cli_page()["Exit codes"], re.MULTILINE))
    told = {
        command: set(re.findall(r"^ +(\d+) ", _section(_help(*command.split()), "Exit codes"), re.MULTILINE))
        for command in _commands()
    }
    assert all({"0", "2"} <= codes <= documented for codes in told.values()), told
    assert set().union(*told.values()) == documented
    assert documented == {"0", "1", "2", "3", "130"}


def test_choices_of_options_are_documented() -> None:
    section = _cli_page()["`detector compare`"]
    for choices in re.findall(r"<([a-z-]+(?:\|[a-z-]+)+)>|\[([a-z-]+(?:\|[a-z-]+)+)\]", _help("compare")):
        for choice in "|".join(filter(None, choices)).split("|"):
            assert f"`{choice}`" in section, choice


# --- the README ---


def test_the_first_two_commands_of_the_readme_use_and_test_the_project() -> None:
    use, test = _bash_blocks()[:2]
    assert "detector compare " in use
    assert test.strip() == "bash tests/all.sh"


def test_the_comparison_in_the_readme_runs_as_it_stands_there() -> None:
    lines = _bash_blocks()[0].replace("\\\n", " ").splitlines()
    commands = [re.sub(r"^\S*/(?=detector )", "", line.strip()) for line in lines]
    comparisons = [shlex.split(line, comments=True) for line in commands if line.startswith("detector compare ")]
    assert comparisons
    for _, *arguments in comparisons:
        run = _run(*arguments)
        assert run.returncode in (0, 1), run.stderr
        assert run.stdout


def test_the_python_example_in_the_readme_runs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=ROOT, stdin=subprocess.DEVNULL, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("derived-undeclared very strong ")


def test_the_block_in_the_readme_is_what_a_hook_prints(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```console\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    index = tmp_path / "known.db"
    _run("index", "add", "--quiet", "--index", str(index), "fixtures/original")
    project = tmp_path / "project"
    project.mkdir()
    crops = project / "crops.py"
    crops.write_bytes((ROOT / "fixtures" / "rebadged" / "kestrel" / "crops.py").read_bytes())
    for command in (["init", "-q"], ["add", "crops.py"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    hook = [sys.executable, "-m", "detector", "hook", "--index", str(index)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(hook, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    blocks = done.stdout.split("\n\n")
    assert block.rstrip("\n") in blocks
    assert sum("computes what original computes" in each for each in blocks) == 12


def test_the_output_in_the_readme_is_what_the_program_prints() -> None:
    """`.venv/bin/python docs/images/draw.py` brings it up to date."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```text\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    above, matches, middle, lines, below = re.split(
        r"^ *\[\.\.\. (\d+) more [^\n]* cut \.\.\.\]$", block, flags=re.MULTILINE
    )
    projects = [f"fixtures/{name}" for name in ("rebadged", "original", "cited", "independent")]
    printed = _run("compare", *projects, "--output", "/dev/stdout", "--quiet").stdout
    assert printed.startswith(above)
    assert printed.endswith(below.lstrip("\n"))
    rest = iter(printed.splitlines())
    assert [line for line in middle.splitlines() if line not in rest] == []  # all of them, in this order
    entry = re.compile(r"^    claim  ", re.MULTILINE)
    assert len(entry.findall(printed)) == len(entry.findall(middle)) + int(lines)
    found = re.findall(r"^Matches: (\d+) functions", printed, re.MULTILINE)
    assert found == [str(above.count(" bits  similarity ") + int(matches))]


def test_the_figures_in_the_readme_are_those_of_the_measurements() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("## How well it works\n")[2].partition("\n## ")[0]
    results = (ROOT / "bench/RESULTS.md").read_text("utf-8")
    figures = re.findall(r"(?<![\d.])\d+\.\d+(?!\.?\d)|(?<![\d.])\d+,\d+|(?<![\w.])\.\d+", section)  # no versions
    assert len(figures) > 5
    assert [figure for figure in figures if figure not in results] == []


# --- the other pages ---


def test_the_numbers_on_the_method_page_are_those_of_the_program() -> None:
    page = (ROOT / "docs/method.md").read_text("utf-8")
    documented = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|$", page, re.MULTILINE)
    assert len(documented) > 20
    for name, value in documented:
        assert str(getattr(settings, name)) == value, name


def test_the_strengths_on_the_reading_page_are_those_of_the_program() -> None:
    page = " ".join((ROOT / "docs/reading-a-report.md").read_text("utf-8").split())
    steps = [f"{strength} from {bits:,.0f}" for strength, bits in settings.STRENGTH_BITS.items()]
    assert all(step in page for step in steps), steps


def test_the_rates_of_coincidence_on_the_reading_page_are_those_of_the_measurements() -> None:
    page = (ROOT / "docs/reading-a-report.md").read_text("utf-8")
    results = (ROOT / "bench/RESULTS.md").read_text("utf-8")
    measured = results.partition("## null: ")[2].partition("\n## ")[0]
    for part in ("How likely each kind of coincidence is", "The histogram against the null"):
        section = page.partition(f"## {part}\n")[2].partition("\n## ")[0]
        cells = {cell.strip() for line in section.splitlines() if line.startswith("|") for cell in line.split("|")}
        figures = {cell for cell in cells if re.fullmatch(r"[\d.,]*\d", cell)}
        figures |= set(re.findall(r"(?<![\w.])\d+,\d+|(?<![\w.,])\d+\.\d+", section))
        assert len(figures) >= 4, part
        assert [figure for figure in sorted(figures) if figure not in measured] == []


def test_every_module_that_measures_and_is_named_on_the_reading_page_exists() -> None:
    page = (ROOT / "docs/reading-a-report.md").read_text("utf-8")
    for module in re.findall(r"`python -m bench\.(\w+)", page):
        assert (ROOT / f"bench/{module}.py").exists(), module


def test_the_architecture_page_names_every_module_and_no_other() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Modules\n")[2].partition("\n## ")[0]
    named = set()
    for part in page.split("\n### ")[1:]:
        heading, _, text = part.partition("\n")
        folder = re.match(r"`([\w/]+/)`", heading)  # modules are named inside their part's folder, others by path
        names = re.findall(r"`([\w/]+\.py)`", text)
        named |= {name if folder is None or "/" in name else folder[1] + name for name in names}
    package = ROOT / "detector"
    modules = {file.relative_to(package).as_posix(): file for file in package.rglob("*.py")}
    described_in_the_tree = {"model.py", *(name for name in modules if name.startswith("settings/"))}
    unnamed = modules.keys() - named
    assert {name for name in unnamed if not _says_only_what_it_is(modules[name])} == described_in_the_tree
    assert named <= modules.keys()


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/decisions"
    listed = re.findall(r"\]\((\d\d\d-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(file.name for file in folder.glob("[0-9]*.md"))


# --- all pages ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        assert ROOT in file.parents, f"{page.name} links out of the project: {target}"
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in map(_anchor, headings), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_accuses_anyone(page: Path) -> None:
    found = FORBIDDEN_WORDS.search(page.read_text("utf-8").replace(DISTRIBUTION, ""))
    assert found is None, f"{page.name}: {found.group() if found else ''}"


def test_the_vocabulary_explains_the_terms_that_the_command_line_page_uses() -> None:
    vocabulary = (ROOT / "docs/vocabulary.md").read_text("utf-8")
    terms = set(re.findall(r"^\| ([^|]+?) \|", vocabulary, re.MULTILINE))
    for term in re.findall(r"\*\*([a-z ]+)\*\*", (ROOT / "docs/cli.md").read_text("utf-8")):
        assert any(known.startswith(term) for known in terms) or term == "bold", term


def _says_only_what_it_is(module: Path) -> bool:
    """Whether a module is a folder's docstring and nothing else."""
    return len(ast.parse(module.read_text("utf-8")).body) == 1 and module.name == "__init__.py"


def _anchor(heading: str) -> str:
    """The anchor that hosting sites derive from a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
