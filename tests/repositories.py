"""Repositories for tests: small ones from texts, held in memory, and the fixtures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from detector.model import Match, Report, Skipped
from detector.read.names import is_note_name, is_other_name, is_python_name
from detector.targets import Head, Repo, SourceFile

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
BENCH = FIXTURES.parent / "bench"

# Functions that have nothing in common, each enough to stand on its own.
WARP = """
import torch

def warp(frames, field, scale):
    height, width = frames.shape[-2:]
    rows = torch.linspace(-1.0, 1.0, height).unsqueeze(1).expand(height, width)
    columns = torch.linspace(-1.0, 1.0, width).unsqueeze(0).expand(height, width)
    grid = torch.stack((columns, rows), dim=-1) + field.permute(0, 2, 3, 1) * scale
    return torch.nn.functional.grid_sample(frames, grid.clamp(-1.25, 1.25), align_corners=False)
"""
ROUTE = """
import torch

def route(tokens, gates, capacity):
    scores = torch.softmax(tokens @ gates.t(), dim=-1)
    best, expert = scores.topk(2, dim=-1)
    load = torch.zeros(gates.shape[0]).scatter_add(0, expert.flatten(), torch.ones(expert.numel()))
    penalty = (load / load.sum() * scores.mean(0)).sum() * gates.shape[0]
    kept = expert.cumsum(0) <= capacity
    return torch.where(kept, best, torch.zeros_like(best)), expert, penalty
"""
PARSE = """
import json
import re

def parse(path, fields):
    records = []
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            found = re.match(r"(\\w+)=>(.*)", line.strip())
            if found is None or found.group(1) not in fields:
                continue
            record = json.loads(found.group(2))
            records.append({key.lower(): value for key, value in record.items() if value != "void"})
    return sorted(records, key=lambda record: record["rank"])
"""
ANNEAL = """
import math

def anneal(step, warmup, total, peak):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return peak * (0.07 + 0.93 * 0.5 * (1 + math.cos(math.pi * progress))) ** 1.5
"""
BEAMS = """
import heapq

def beams(start, expand, width, limit):
    front, done = [(0.0, [start])], []
    for _ in range(limit):
        grown = []
        for cost, path in front:
            for token, price in expand(path):
                entry = (cost - price / len(path) ** 0.6, path + [token])
                (done if token == "<halt>" else grown).append(entry)
        front = heapq.nsmallest(width, grown)
        if len(done) >= width or not front:
            break
    return min(done or front)
"""
SPECTRUM = """
import numpy as np

def spectrum(signal, hop, bins):
    window = np.hanning(bins)
    frames = np.lib.stride_tricks.sliding_window_view(signal, bins)[::hop] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    floor = np.percentile(power, 5)
    return 10 * np.log10(np.maximum(power, floor) / power.max())
"""
# What nobody in these tests shares a shingle with.
STRANGER = """
import curses

def paint(screen, board):
    screen.erase()
    for row, cells in enumerate(board):
        screen.addstr(row, 3, "".join("#" if cell else "." for cell in cells), curses.A_BOLD)
    screen.refresh()
    return screen.getkey() == "q"
"""


def cached(package: str) -> Path:
    """A wheel that the bench has already; a test that asks for another one is skipped."""
    name, _, version = package.partition("==")
    found = sorted((BENCH / "cache").glob(f"{name.replace('-', '_')}-{version}-*.whl"))
    if not found:
        pytest.skip(f"{package} is not in {BENCH / 'cache'}")
    return found[0]


class InMemory:
    """The files of a repository that was never on a disk."""

    def __init__(self, files: Mapping[str, str | bytes], skipped: Sequence[Skipped] = ()) -> None:
        self._data = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self._skipped = skipped

    def paths(self) -> list[str]:
        return sorted(filter(is_python_name, self._data))

    def notes(self) -> dict[str, bytes]:
        return {path: data for path, data in self._data.items() if is_note_name(path)}

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        yield from self._skipped
        for path in self.paths():
            yield SourceFile(path, self._data[path])

    def read(self, path: str) -> bytes:
        return self._data[path]

    def others(self) -> list[str]:
        return sorted(path for path in self._data if not is_python_name(path) and is_other_name(path))

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        return Head(self._data[path][:most_bytes], len(self._data[path]))

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        return self._data[path][begin : begin + size]


def repo(name: str, files: Mapping[str, str | bytes]) -> Repo:
    """A repository made of texts."""
    return Repo(name, name, "", InMemory(files))


def fixture(folder: str, name: str = "") -> Repo:
    """One of the fixture projects, under another name if one is given."""
    return repo(name or folder, fixture_files(folder))


def fixture_files(folder: str) -> dict[str, bytes]:
    """The Python files of a fixture project."""
    root = FIXTURES / folder
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.py"))}


Place = tuple[str, str]  # path, qualname


def ends(match: Match) -> tuple[Place, str, Place]:
    """Which function a match pairs with which of whom."""
    ours, theirs = match.suspect, match.reference
    return (ours.path, ours.qualname), match.reference_name, (theirs.path, theirs.qualname)


def by_ends(report: Report) -> dict[tuple[Place, str, Place], Match]:
    """Every match by what it pairs."""
    return {ends(match): match for match in report.matches}
