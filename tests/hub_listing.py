"""What a hub says of its models: one entry for each, filtered, sorted and paged as the hub's clients expect it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_NEWEST_FIRST = frozenset({"lastModified", "createdAt"})
_MOST_FIRST = frozenset({"likes", "downloads", "trendingScore"})
# Of the list of models, without being asked for more; and with `full`.
_SHORT = ("_id", "id", "modelId", "likes", "trendingScore", "private", "downloads", "tags", "createdAt")
_FULL = (*_SHORT, "author", "sha", "lastModified", "gated", "disabled", "siblings")
_OF_THE_CARD = ("pipeline_tag", "library_name")
EXPANDABLE = frozenset({*_FULL, *_OF_THE_CARD, "cardData", "baseModels", "config", "usedStorage"})


class BadQueryError(Exception):
    """Something is asked for that the hub does not have."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of a commit."""

    path: str
    oid: str
    size: int  # of the file itself, not of what stands in git for it
    sha256: str = ""  # of a large file
    pointer_size: int = 0


@dataclass(frozen=True, slots=True)
class About:
    """What a commit of a model says of itself."""

    sha: str
    created: int  # seconds since 1970: the first commit and this one
    modified: int
    blobs: Mapping[str, Blob]
    card: Mapping[str, Any] | None
    config: Mapping[str, Any] | None


def entry(model: str, about: About, facts: Mapping[str, Any], *, has_blobs: bool = False) -> dict[str, Any]:
    """All that the hub knows of a model."""
    card = dict(about.card or {})
    created = str(facts.get("created") or time_of(about.created))
    stamp = int(datetime.fromisoformat(created).timestamp())
    found = {
        "_id": f"{stamp:08x}{hashlib.sha256(model.encode()).hexdigest()[:16]}",
        "id": model,
        "modelId": model,
        "author": model.partition("/")[0],
        "sha": about.sha,
        "lastModified": str(facts.get("modified") or time_of(about.modified)),
        "createdAt": created,
        "private": False,
        "disabled": False,
        "gated": facts.get("gated", False),
        "likes": int(facts.get("likes", 0)),
        "downloads": int(facts.get("downloads", 0)),
        "trendingScore": 0,
        "tags": _tags(about, card),
        "siblings": [_sibling(blob, has_blobs) for blob in about.blobs.values()],
        "usedStorage": sum(blob.size for blob in about.blobs.values() if blob.sha256),
        "cardData": card or None,
        "config": _short_config(about.config),
        "baseModels": {"relation": _relation(about, card), "models": [{"id": each} for each in bases(card)]},
    }
    return found | {name: card[name] for name in _OF_THE_CARD if isinstance(card.get(name), str)}


def time_of(seconds: int) -> str:
    """Seconds since 1970 as the hub writes times."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def bases(card: Mapping[str, Any]) -> list[str]:
    """What a model card says that the model derives from."""
    declared = card.get("base_model")
    return [declared] if isinstance(declared, str) else [each for each in declared or () if isinstance(each, str)]


def cut_down(found: Mapping[str, Any], query: Mapping[str, Sequence[str]], *, is_list: bool) -> dict[str, Any]:
    """The part of an entry that a question asks for.

    Errors: BadQueryError.
    """
    if expand := query.get("expand"):
        if unknown := sorted(set(expand) - EXPANDABLE):
            raise BadQueryError(f"no such property: {unknown[0]}")
        wanted: set[str] = {"_id", "id", *expand}
    elif is_list:
        wanted = {*_OF_THE_CARD, *(_FULL if _is_set(query, "full") else _SHORT)}
        wanted |= {name for name in ("cardData", "config") if _is_set(query, name)}
    else:
        wanted = set(found) - {"baseModels"}
    return {name: value for name, value in found.items() if name in wanted}


def listed(
    entries: Sequence[Mapping[str, Any]], query: Mapping[str, Sequence[str]], page: int
) -> tuple[list[Mapping[str, Any]], str]:
    """One page of the models that are asked for, and the cursor of the next one; "" for the last.

    Errors: BadQueryError.
    """
    sort = _one(query, "sort") or "trendingScore"
    if sort not in _NEWEST_FIRST | _MOST_FIRST:
        raise BadQueryError(f"nothing is sorted by {sort}")
    # Two stable sorts: the identifier decides between equals.
    found = sorted((each for each in entries if _is_asked_for(each, query)), key=lambda each: str(each["_id"]))
    found.sort(key=lambda each: each[sort], reverse=True)
    if cursor := _one(query, "cursor"):
        # A place in the order, not a number: what is new meanwhile moves nothing.
        value, identifier = json.loads(base64.urlsafe_b64decode(cursor))
        found = [each for each in found if each[sort] < value or (each[sort] == value and each["_id"] > identifier)]
    most = min(int(_one(query, "limit") or page), page)
    if len(found) <= most:
        return found, ""
    last = found[most - 1]
    return found[:most], base64.urlsafe_b64encode(json.dumps([last[sort], last["_id"]]).encode()).decode("ascii")


def _is_asked_for(each: Mapping[str, Any], query: Mapping[str, Sequence[str]]) -> bool:
    if (author := _one(query, "author")) and each["author"] != author:
        return False
    if _one(query, "search").lower() not in each["id"].lower():
        return False
    if (gated := _one(query, "gated")) and (gated == "true") != bool(each["gated"]):
        return False
    if (task := _one(query, "pipeline_tag")) and each.get("pipeline_tag") != task:
        return False
    return set(query.get("filter", ())) <= set(each["tags"])


def _one(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")


def _is_set(query: Mapping[str, Sequence[str]], name: str) -> bool:
    return _one(query, name).lower() == "true"


def _tags(about: About, card: Mapping[str, Any]) -> list[str]:
    ends = {path.rpartition(".")[2] for path in about.blobs}
    config = about.config or {}
    found = [card["library_name"]] if isinstance(card.get("library_name"), str) else []
    found += [
        name for name, end in (("safetensors", "safetensors"), ("gguf", "gguf"), ("pytorch", "bin")) if end in ends
    ]
    found += [config["model_type"]] if isinstance(config.get("model_type"), str) else []
    found += ["custom_code"] if config.get("auto_map") else []
    found += [str(each) for each in card.get("tags") or ()]
    for base in bases(card):
        found += [f"base_model:{base}", f"base_model:{_relation(about, card)}:{base}"]
    found += [f"license:{card['license']}"] if isinstance(card.get("license"), str) else []
    return list(dict.fromkeys([*found, "region:us"]))


def _relation(about: About, card: Mapping[str, Any]) -> str:
    if isinstance(card.get("base_model_relation"), str):
        return str(card["base_model_relation"])
    if len(bases(card)) > 1:
        return "merge"
    return "quantized" if any(path.endswith(".gguf") for path in about.blobs) else "finetune"


def _short_config(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    names = ("architectures", "model_type", "auto_map")
    return {name: config[name] for name in names if name in config} if config else None


def _sibling(blob: Blob, has_blobs: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": blob.path}
    if has_blobs:
        found |= {"size": blob.size, "blobId": blob.oid}
        if blob.sha256:
            found["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
    return found
