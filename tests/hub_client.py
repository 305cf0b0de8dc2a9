"""The hub's client as on a machine that nobody has configured."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


def unconfigured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No cache, no token, no proxy; nobody waits, but for how long is written down."""
    waited: list[float] = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited
