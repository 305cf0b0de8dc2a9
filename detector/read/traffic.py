"""What is asked of servers: how many requests, how many bytes, and none that waits for ever."""

from __future__ import annotations

from typing import Any

from detector.read.limits import LISTING_SILENCE_SECONDS


class Traffic:
    """Counts what goes through the session of the hub's client, whoever asks.

    The client's own listings have no time-out: they get one here.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._read_bytes = 0
        self._taken = (0, 0)
        self._answers: list[Any] = []

    @property
    def bytes(self) -> int:
        """Bytes of all bodies so far, as they came over the wire."""
        open_ones = [each for each in self._answers if not each.is_closed]
        self._read_bytes += sum(each.num_bytes_downloaded for each in self._answers if each.is_closed)
        self._answers = open_ones
        return self._read_bytes + int(sum(each.num_bytes_downloaded for each in open_ones))

    def take(self) -> tuple[int, int]:
        """Requests and bytes since this was asked last."""
        now = self.requests, self.bytes
        taken = now[0] - self._taken[0], now[1] - self._taken[1]
        self._taken = now
        return taken

    def watch(self) -> None:
        """Count from now on, also in a session that the client has opened anew."""
        from huggingface_hub import get_session

        hooks = get_session().event_hooks
        if self._count not in hooks["response"]:
            hooks["request"].append(_with_time_out)
            hooks["response"].append(self._count)

    def leave(self) -> None:
        """Count no longer."""
        from huggingface_hub import get_session

        hooks = get_session().event_hooks
        if self._count in hooks["response"]:
            hooks["response"].remove(self._count)
            hooks["request"].remove(_with_time_out)

    def _count(self, response: Any) -> None:
        self.requests += 1
        self._answers.append(response)
        if len(self._answers) > 256:
            _ = self.bytes  # lets go of those that are read


def _with_time_out(request: Any) -> None:
    given = request.extensions.get("timeout") or {}
    ours = dict.fromkeys(("connect", "read", "write", "pool"), LISTING_SILENCE_SECONDS)
    request.extensions["timeout"] = ours | {name: value for name, value in given.items() if value is not None}
