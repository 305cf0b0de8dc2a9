"""A hub on loopback: `olah` serves git repositories to the hub's own client, with what it leaves out added to it.

olah answers for the trees, the references, the commits and the paths of its local repositories. It has no list of
models, knows no gates, looks a model without a revision up on the real hub, and sends the whole of a local file,
whatever part is asked for. These are added here, as the real hub does them: large files are moved to a storage at
another address.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import git
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from olah.configs import OlahConfig
from olah.server_api_routes import commits_proxy_common, tree_proxy_common
from olah.server_routes import router as olah_router
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests import hub_listing
from tests.hub_faults import Allowance, Asked, Fault, Front
from tests.hub_listing import About, BadQueryError, Blob
from tests.hub_repositories import MAIN, facts_of, large_file, models_in, place

TOKEN = "hf_known"  # opens what is gated
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CARD = re.compile(r"\s*---\n(.*?)\n---", re.DOTALL)
_MOST_KEPT = 2_000  # what was read of commits: some kilobytes each


class Hub:
    """A hub that runs: where, what it was asked, and what it is told to do badly."""

    def __init__(self, folder: Path, page: int, endpoint: str, storage: str) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self.storage = storage
        self.page = page
        self._abouts: OrderedDict[tuple[str, str], About] = OrderedDict()
        self.front = Front(_app(self), int(storage.rpartition(":")[2]))

    @property
    def asked(self) -> list[Asked]:
        """Every request since the beginning, or since this was cleared."""
        return self.front.asked

    def fail(self, pattern: str, times: int = 1, **how: Any) -> None:
        """Answer badly, `times` times, where "METHOD path?query" matches; `how` as the fields of `Fault`."""
        self.front.faults.append(Fault(re.compile(pattern), times, **how))

    def recover(self) -> None:
        """Answer well again."""
        self.front.faults.clear()
        self.front.allowances.clear()

    def allow(self, kind: str, requests: int, seconds: float) -> None:
        """Take no more than so many requests of a kind in a window of so many seconds."""
        self.front.allowances[kind] = Allowance(requests, seconds)

    def sent_bytes(self, pattern: str = "") -> int:
        """Bytes of bodies of the requests that match."""
        return sum(each.sent_bytes for each in self.asked if re.search(pattern, f"{each.method} {each.path}"))

    def requests(self, pattern: str = "") -> int:
        """How many requests match."""
        return sum(bool(re.search(pattern, f"{each.method} {each.path}")) for each in self.asked)

    def about(self, model: str, revision: str) -> About | None:
        """What a revision of a model holds; None if there is none."""
        branch = place(self.folder, model) / ".git" / "refs" / "heads" / revision
        known = self._abouts.get((model, branch.read_text("ascii").strip() if branch.is_file() else revision))
        if known is not None:
            return known  # without a process of git: a list asks for every model
        repository = git.Repo(place(self.folder, model))
        try:
            found = _read(repository, repository.commit(revision))
            self._abouts[model, found.sha] = found
            if len(self._abouts) > _MOST_KEPT:
                self._abouts.popitem(last=False)
            return found
        except (git.BadName, git.BadObject, ValueError):
            return None
        finally:
            repository.close()

    def content(self, model: str, blob: Blob) -> bytes:
        """A file that is in git itself."""
        repository = git.Repo(place(self.folder, model))
        try:
            data: bytes = repository.odb.stream(bytes.fromhex(blob.oid)).read()
            return data
        finally:
            repository.close()


@contextmanager
def serving(folder: Path, page: int = 100) -> Iterator[Hub]:
    """Serve the models of a folder, `page` of them on one page of a list, until the end."""
    sockets = [_socket(), _socket()]
    endpoint, storage = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets)
    hub = Hub(folder, page, endpoint, storage)
    logging.getLogger("git").setLevel(logging.ERROR)
    config = uvicorn.Config(
        hub.front, lifespan="off", log_level="critical", http="h11", loop="asyncio", timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        for each in sockets:
            each.close()


def _socket() -> socket.socket:
    """A port of its own: who connects before the server runs waits for it."""
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    found.listen(128)
    return found


def _app(hub: Hub) -> FastAPI:
    """olah's routes behind those that it lacks."""
    app = FastAPI(openapi_url=None)
    settings = OlahConfig()
    settings.offline = True
    settings.mirrors_path = [str(hub.folder)]
    app.state.app_settings = _Settings(settings)
    app.state.logger = logging.getLogger("olah")
    _add_list(app, hub)
    _add_files(app, hub)
    app.include_router(olah_router)
    return app


class _Settings:
    """As olah's application holds its configuration."""

    def __init__(self, config: OlahConfig) -> None:
        self.config = config


def _add_list(app: FastAPI, hub: Hub) -> None:
    @app.get("/api/models")
    def models(request: Request) -> Response:
        query = _query(request)
        facts = facts_of(hub.folder)
        found = ((each, hub.about(each, MAIN)) for each in models_in(hub.folder))
        entries = [hub_listing.entry(each, about, facts.get(each, {})) for each, about in found if about is not None]
        try:
            page, cursor = hub_listing.listed(entries, query, hub.page)
            answer = [hub_listing.cut_down(each, query, is_list=True) for each in page]
        except BadQueryError as error:
            return _refused(400, "", str(error))
        following = urlencode({**query, "cursor": [cursor]}, doseq=True)
        headers = {"link": f'<{hub.endpoint}/api/models?{following}>; rel="next"'} if cursor else {}
        return JSONResponse(answer, headers=headers)

    @app.get("/api/models/{org}/{name}")
    @app.get("/api/models/{org}/{name}/revision/{revision:path}")
    def model(org: str, name: str, request: Request, revision: str = MAIN) -> Response:
        about = _found(hub, f"{org}/{name}", revision)
        if isinstance(about, Response):
            return about
        facts = facts_of(hub.folder).get(f"{org}/{name}", {})
        query = _query(request)
        entry = hub_listing.entry(f"{org}/{name}", about, facts, has_blobs=request.query_params.get("blobs") == "true")
        try:
            return JSONResponse(hub_listing.cut_down(entry, query, is_list=False))
        except BadQueryError as error:
            return _refused(400, "", str(error))

    @app.get("/api/models/{org}/{name}/auth-check")
    def auth_check(org: str, name: str, request: Request) -> Response:
        about = _found(hub, f"{org}/{name}", MAIN)
        return about if isinstance(about, Response) else _gate(hub, f"{org}/{name}", request) or JSONResponse({})

    @app.get("/api/models/{org}/{name}/commits/{revision}")
    async def commits(org: str, name: str, revision: str, request: Request) -> Response:
        about = _found(hub, f"{org}/{name}", revision)
        if isinstance(about, Response):
            return about
        found = await commits_proxy_common(request.app, "models", org, name, about.sha, "get", None)
        items = json.loads(found.body)
        for author in (author for item in items for author in item["authors"]):
            author["user"] = author.pop("name")  # as the client reads it
        return JSONResponse(items)

    @app.get("/api/models/{org}/{name}/tree/{revision}")
    @app.get("/api/models/{org}/{name}/tree/{revision}/{path:path}")
    async def tree(org: str, name: str, revision: str, request: Request, path: str = "") -> Response:
        about = _found(hub, f"{org}/{name}", revision)
        if isinstance(about, Response):
            return about
        asked = request.query_params
        is_set = {each: asked.get(each, "").lower() in ("true", "1") for each in ("recursive", "expand")}
        found = await tree_proxy_common(
            request.app, "models", org, name, about.sha, path, method="get", authorization=None, **is_set
        )
        return _paged(hub, request, json.loads(found.body)) if found.status_code == 200 else _no_file(revision, path)


def _paged(hub: Hub, request: Request, entries: Sequence[Any]) -> Response:
    """A page of a long list of files; olah has them all on one."""
    begin = int(request.query_params.get("cursor", "0"))
    headers = {}
    if begin + hub.page < len(entries):
        following = urlencode({**_query(request), "cursor": [str(begin + hub.page)]}, doseq=True)
        headers["link"] = f'<{hub.endpoint}{quote(request.url.path)}?{following}>; rel="next"'
    return JSONResponse(entries[begin : begin + hub.page], headers=headers)


def _add_files(app: FastAPI, hub: Hub) -> None:
    @app.api_route("/{org}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    def resolve(org: str, name: str, revision: str, path: str, request: Request) -> Response:
        model = f"{org}/{name}"
        about = _found(hub, model, revision)
        if isinstance(about, Response):
            return about
        if (closed := _gate(hub, model, request)) is not None:
            return closed
        blob = about.blobs.get(path)
        if blob is None:
            return _no_file(revision, path)
        headers = {"x-repo-commit": about.sha, "accept-ranges": "bytes"}
        if blob.sha256:
            headers |= {"x-linked-size": str(blob.size), "x-linked-etag": f'"{blob.sha256}"'}
            headers["location"] = f"{hub.storage}/storage/{model}/{blob.sha256}?signature=valid"
            return Response(status_code=302, headers=headers)
        return _part(hub.content(model, blob), request, headers | {"etag": f'"{blob.oid}"'})

    @app.api_route("/storage/{org}/{name}/{sha256}", methods=["GET", "HEAD"])
    def storage(org: str, name: str, sha256: str) -> Response:
        file = large_file(place(hub.folder, f"{org}/{name}"), sha256)
        if not file.is_file():
            return Response(status_code=403)  # as a storage says it
        return FileResponse(file, headers={"etag": f'"{sha256}"'})


def _part(data: bytes, request: Request, headers: Mapping[str, str]) -> Response:
    """A file, or the part of it that is asked for."""
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None or not (asked[1] or asked[2]):
        return Response(data, headers=dict(headers))
    begin = int(asked[1]) if asked[1] else max(len(data) - int(asked[2]), 0)
    end = min(int(asked[2]) + 1, len(data)) if asked[1] and asked[2] else len(data)
    if begin >= end:
        return Response(status_code=416, headers={"content-range": f"bytes */{len(data)}"})
    told = {**headers, "content-range": f"bytes {begin}-{end - 1}/{len(data)}"}
    return Response(data[begin:end], status_code=206, headers=told)


def _found(hub: Hub, model: str, revision: str) -> About | Response:
    """What a revision holds, or the hub's word for what is not there."""
    if ".." in model or not (place(hub.folder, model) / ".git").is_dir():
        return _refused(404, "RepoNotFound", "Repository not found")
    about = hub.about(model, revision)
    return about if about is not None else _refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _gate(hub: Hub, model: str, request: Request) -> Response | None:
    """The refusal of a gated model to whom it does not know."""
    is_gated = facts_of(hub.folder).get(model, {}).get("gated", False)
    if not is_gated or request.headers.get("authorization") == f"Bearer {TOKEN}":
        return None
    return _refused(403, "GatedRepo", f"Access to model {model} is restricted and you are not in the authorized list.")


def _no_file(revision: str, path: str) -> Response:
    return _refused(404, "EntryNotFound", f'{quote(path)} does not exist on "{revision}"')


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": message}, status, {"x-error-code": code, "x-error-message": message})


def _query(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def _read(repository: git.Repo, commit: git.Commit) -> About:
    blobs = {}
    texts = {}
    for entry in commit.tree.traverse(lambda each, _: each.type == "blob"):  # type: ignore[union-attr]
        is_short = entry.size < 200  # type: ignore[union-attr]
        path = str(entry.path)  # type: ignore[union-attr]
        data = entry.data_stream.read() if is_short or path in ("README.md", "config.json") else b""  # type: ignore[union-attr]
        texts[path] = data
        pointer = _POINTER.fullmatch(data) if is_short else None
        if pointer is not None:
            blobs[path] = Blob(path, entry.hexsha, int(pointer[2]), pointer[1].decode("ascii"), entry.size)  # type: ignore[union-attr]
        else:
            blobs[path] = Blob(path, entry.hexsha, entry.size)  # type: ignore[union-attr]
    first = min(each.committed_date for each in repository.iter_commits(commit.hexsha))
    card, config = _card(texts.get("README.md", b"")), _config(texts.get("config.json", b""))
    return About(commit.hexsha, first, commit.committed_date, dict(sorted(blobs.items())), card, config)


def _card(data: bytes) -> dict[str, Any] | None:
    """What stands above a model card; None if nothing that can be read."""
    found = _CARD.match(data.decode("utf-8", "replace"))
    try:
        card = YAML(typ="safe").load(found[1]) if found else None
    except YAMLError:
        return None
    return json.loads(json.dumps(card, default=str)) if isinstance(card, dict) else None


def _config(data: bytes) -> dict[str, Any] | None:
    try:
        config = json.loads(data)
    except ValueError:
        return None
    return config if isinstance(config, dict) else None
