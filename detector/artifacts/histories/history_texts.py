"""The contents of a history's files: each read when it is asked for, within a budget."""

from __future__ import annotations

from detector.settings.history import MOST_HISTORY_BYTES, MOST_HISTORY_FILE_BYTES
from detector.targets import History

_TEXTS = (
    ".py", ".pyw", ".ipynb", ".json", ".md", ".rst", ".txt", ".sh", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".in",
    ".log", ".out", ".html", ".cff", ".bat",
)  # fmt: skip


def is_text_name(path: str) -> bool:
    """Tell by its name whether a file is one that people or tools write words into."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(_TEXTS) or "." not in name


class HistoryTexts:
    """Reads blobs of one history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._bytes = 0
        self.left_out = 0  # files beyond the budget

    def data(self, blob: str) -> bytes | None:
        """The whole of a blob; None if it is absent, too large, or nothing is left to spend."""
        if self._bytes >= MOST_HISTORY_BYTES:
            self.left_out += 1
            return None
        head = self._history.blob(blob, MOST_HISTORY_FILE_BYTES)
        if head is None or not head.is_whole:
            return None
        self._bytes += head.size_bytes
        return head.data

    def text(self, blob: str) -> str:
        """A blob as text, "" where it is none or not to be had."""
        data = self.data(blob) if blob else None
        return "" if data is None or b"\0" in data else data.decode("utf-8", "replace")
