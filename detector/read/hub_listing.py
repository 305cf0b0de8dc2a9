"""What a model hub has: its models, those first that were changed last, through the hub's own client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from detector.model import UserError
from detector.read.names import printable
from detector.read.refusals import ExhaustedError
from detector.scanned import Listed

_BASE = "base_model:"


def listed(
    *, organisation: str = "", search: str = "", tags: tuple[str, ...] = (), since: str = "", most: int | None = None
) -> Iterator[Listed]:
    """Models that were changed at `since` or later (ISO 8601 in UTC), the last one first.

    Ties:   what was changed at the very time `since` is listed again: one more may have been changed then.
    Errors: UserError in one line; ExhaustedError where the hub takes no more requests.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise UserError("HF_HUB_OFFLINE is set, and a hub cannot be listed so: unset it")
    endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
    token = False if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else None
    found = HfApi(endpoint=endpoint, token=token).list_models(
        author=organisation or None,
        search=search or None,
        filter=list(tags) or None,
        sort="last_modified",
        limit=most,
        expand=["sha", "lastModified", "createdAt", "gated", "tags"],
    )
    try:
        for model in found:
            modified = _time(model.last_modified)
            if since and modified and modified < since:
                return
            yield Listed(
                f"hf:{model.id}",
                model.sha or "",
                modified,
                _time(model.created_at),
                _declared(model.tags or ()),
                bool(model.gated),
            )
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == 429:
            raise ExhaustedError("the hub takes no more requests now: log in, or try again later") from None
        raise UserError(f"the hub cannot be listed ({status}): check HF_ENDPOINT and the source") from None
    except OfflineModeIsEnabled:
        raise UserError("HF_HUB_OFFLINE is set, and a hub cannot be listed so: unset it") from None
    except (KeyError, TypeError, ValueError, AttributeError):  # what the client makes of an answer that is none
        raise UserError("the hub's listing cannot be read: check HF_ENDPOINT") from None
    except Exception as error:
        from huggingface_hub import get_session

        from detector.read.hub_requests import transport_error

        if isinstance(error, transport_error(get_session())):
            why = printable(str(error))[:100] or type(error).__name__
            raise UserError(f"the hub does not answer ({why}): check the network and HF_ENDPOINT") from None
        raise


def _time(at: datetime | None) -> str:
    """To the second, rounded down: what is compared with the time of another listing."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _declared(tags: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Models that a card names as its base: the hub makes tags of them, such as `base_model:finetune:ORG/MODEL`."""
    named = (tag.removeprefix(_BASE).rpartition(":")[2] for tag in tags if tag.startswith(_BASE))
    return tuple(dict.fromkeys(f"hf:{name}" for name in named if name))
