"""Requests to ModelScope, as its light client is configured: address, token, time-out, cache, where files are.

The client's own requests wait for as long as a server says and hold whatever it sends: they are made here, by what asks
every other hub.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from detector.model import UserError
from detector.read.hub_requests import NO_FILE, Server, Words
from detector.read.listing import CannotRead

NOT_FOUND = "there is no such model on ModelScope, or it is private: check the name, or log in with `modelscope login`"
GATED = "gated: ask for access on the model's page, then log in with `modelscope login`"
TOO_MANY = "ModelScope takes no more requests now: try again later"
_WORDS = Words(
    "ModelScope",
    "MODELSCOPE_ENDPOINT",
    {401: NOT_FOUND, 403: GATED, 404: NOT_FOUND, 429: TOO_MANY},
    {401: GATED, 403: GATED, 404: NO_FILE, 429: TOO_MANY},
)


class ModelScope(Server):
    """One of its sites: the one that the user has named, or that the client asks first."""

    def __init__(self, endpoint: str = "") -> None:
        try:
            from modelscope_hub import HubApi, HubConfig, constants
        except ImportError:
            raise UserError(
                "ModelScope is read through its client: pip install 'ml-plagiarism-detector[modelscope]'"
            ) from None
        try:
            config = HubConfig(endpoint=endpoint or None)
        except Exception as error:  # it unpickles its own file, which may hold anything
            raise UserError(
                f"what the ModelScope client keeps cannot be read ({type(error).__name__}): log in anew"
            ) from None
        token = (config.token or "").strip()
        if not (token.isascii() and token.isprintable()):
            raise UserError("no token for ModelScope looks like that: set MODELSCOPE_API_TOKEN anew")
        # The older half of the interface knows the cookie, the newer one the header.
        known = {"authorization": f"Bearer {token}", "cookie": f"m_session_id={token}"} if token else {}
        super().__init__(config.endpoint or "", known, _WORDS, float(constants.API_TIMEOUT))
        self._client = HubApi(config)

    def data(self, path: str, asked: Mapping[str, str | int], *, is_ours: bool = False) -> Any:
        """What an address of the interface answers, without its envelope.

        Errors: CannotRead.
        """
        answer, _ = self.page(f"{self.endpoint}{path}?{urlencode(asked)}", is_ours=is_ours)
        if not isinstance(answer, dict) or answer.get("Success", answer.get("success")) is False:
            raise CannotRead("ModelScope does not answer what was asked: check MODELSCOPE_ENDPOINT")
        return answer.get("Data", answer.get("data"))

    def url(self, model: str, commit: str, path: str) -> str:
        """Where a file is."""
        return self._client.legacy.get_download_url(model, "model", path, commit)

    def local(self, model: str, commit: str, path: str) -> str:
        """Where the client's cache has a file of this very commit; "" if it has not."""
        from modelscope_hub import HubError

        try:
            found = self._client.download_file(model, "model", path, revision=commit, local_files_only=True)
        except (HubError, OSError, ValueError):
            return ""
        # Other folders of the cache do not say of which commit they are.
        is_of_commit = found.is_file() and Path(found).as_posix().endswith(f"/snapshots/{commit}/{path}")
        return os.path.realpath(found) if is_of_commit else ""

    def elsewhere(self, model: str) -> str:
        """Another site that has the model, where the user has named none; "" if there is none."""
        from modelscope_hub import HubError

        try:
            found = self._client.resolve_endpoint_for_read(model)
        except (HubError, OSError, ValueError):
            return ""
        return "" if found.rstrip("/") == self.endpoint else found
