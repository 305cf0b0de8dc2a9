"""What ModelScope has: its models, those first that were changed last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from detector.model import UserError
from detector.read.listing import CannotRead
from detector.read.modelscope import commit_of
from detector.read.modelscope_requests import GATED, NOT_FOUND, TOO_MANY, ModelScope
from detector.read.names import printable
from detector.read.recent import in_utc, since_then
from detector.read.refusals import ExhaustedError
from detector.scanned import Listed

_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_BASE = "base_model:"
_PAGE = 50  # models of one answer: as many as the hub gives
_MOST = 3_000  # models of one question: it refuses to give later pages
_NO_MODELS = "there is no listing of models: check MODELSCOPE_ENDPOINT"
_SHOWN_CHARACTERS = 200  # of a name that is none

Model = Mapping[str, Any]


def listed(owner: str = "", search: str = "", since: str = "", most: int | None = None) -> Iterator[Listed]:
    """Models that were changed at `since` or later (ISO 8601 in UTC), the last one first, each with its commit.

    Ties:   what was changed at the very time `since` is listed again: one more may have been changed then.
    Errors: UserError in one line, also after the last model that the hub lists if it has more; ExhaustedError where it
            takes no more requests.
    """
    server = ModelScope()
    seen: set[str] = set()
    try:
        for model in since_then(_pages(server, owner, search, since), _modified, since, most):
            name = model["id"]
            if name not in seen:  # what is changed meanwhile moves the rest to a later page
                seen.add(name)
                yield _listed(server, model)
    except CannotRead as error:
        if str(error) == TOO_MANY:
            raise ExhaustedError(str(error)) from None
        raise UserError(f"ModelScope cannot be listed: {_NO_MODELS if str(error) == NOT_FOUND else error}") from None


def _pages(server: ModelScope, owner: str, search: str, since: str) -> Iterator[Sequence[Model]]:
    about: dict[str, str | int] = {name: value for name, value in (("owner", owner), ("search", search)) if value}
    about |= {"sort": "last_modified", "page_size": _PAGE}
    for number in range(1, _MOST // _PAGE + 1):
        data = server.data("/openapi/v1/models", about | {"page_number": number})
        models = data.get("models") if isinstance(data, dict) else None
        if not isinstance(models, list):
            raise CannotRead(_NO_MODELS)
        page = [each for each in models if isinstance(each, dict) and isinstance(each.get("id"), str) and each["id"]]
        yield page
        if len(models) < _PAGE:
            return
    total = data.get("total_count")
    is_reached = bool(since) and any("" < _modified(model) < since for model in page)
    if isinstance(total, int) and total > _MOST and not is_reached:
        raise UserError(
            f"ModelScope lists no more than {_MOST:,} models of one question and has {total:,}: "
            f"scan more often, or name organisations"
        )


def _modified(model: Model) -> str:
    return in_utc(model.get("last_modified"))


def _listed(server: ModelScope, model: Model) -> Listed:
    name, commit, is_gated = model["id"], "", bool(model.get("gated"))
    if not _ID.fullmatch(name):
        name = printable(name)[:_SHOWN_CHARACTERS]
    else:
        try:
            commit = commit_of(server, name)
        except CannotRead as error:
            if str(error) == TOO_MANY:
                raise
            is_gated = is_gated or str(error) == GATED
    declared = _declared(model)
    return Listed(f"ms:{name}", commit, _modified(model), in_utc(model.get("created_at")), declared, is_gated)


def _declared(model: Model) -> tuple[str, ...]:
    """Models that a card names as its base, where the listing says so: among the tags, as on the other hub."""
    tags = model.get("tags")
    named = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    bases = (tag.removeprefix(_BASE).rpartition(":")[2] for tag in named if tag.startswith(_BASE))
    return tuple(dict.fromkeys(f"ms:{name}" for name in bases if _ID.fullmatch(name)))
