"""Deliveries to webhooks: signed, in order, each once as far as the receiver can tell, whatever the receiver does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource

from detector.model import UserError
from detector.scan import findings, occurring, outbox, outputs, webhook
from detector.scan.outbox import Hook
from detector.scanned import Member, Standing
from tests.reports import full

ROOT = Path(__file__).parent.parent
SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
AT = "2024-05-28T03:00:00Z"
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    """What a receiver was sent, and how it answers: the first answers in turn, then the last one for ever."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [each["webhook-id"] for each in self.headers]


def status(code: int, **headers: str) -> Answer:
    """An answer with a status, headers and a short body."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    return answer


def silence(handler: BaseHTTPRequestHandler) -> None:
    """No answer until the other side has hung up."""
    handler.connection.settimeout(10)
    handler.rfile.read(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Headers that never end, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-")
    for _ in range(1_000):
        handler.wfile.write(b"a")
        time.sleep(0.02)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A success with a body that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        handler.wfile.write(b"x" * 65_536)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """No answer at all."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def garbage(handler: BaseHTTPRequestHandler) -> None:
    """Something that is no HTTP."""
    handler.wfile.write(b"\x00\x01 what?\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have heard enough."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver on loopback that takes everything, until it is told otherwise."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Receiver(answers=[status(200)])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            (found.answers.pop(0) if len(found.answers) > 1 else found.answers[0])(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hooks/T0P-S3CR3T?token=T0P-S3CR3T"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    """A store in which one finding was found, and two members could not be looked at."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        findings.create(connection)
        outbox.create(connection)
        suspect = Member("hf:copies/model", "r1", "", "", (), Standing.DONE)
        findings.see(connection, AT, suspect, "hf:originals/model", "r2", full(), True)
        findings.tell(connection, AT, "gated", "hf:org/closed", "its files are not for us")
        findings.tell(connection, AT, "failed", "hf:org/broken", "the hub does not answer")
        yield connection


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, which take no time."""
    found: list[float] = []
    sent = webhook.send

    def send(*arguments: Any) -> None:
        sent(*arguments, sleep=found.append)

    monkeypatch.setattr(webhook, "send", send)
    return found


def _deliver(connection: sqlite3.Connection, *hooks: Hook) -> outbox.Delivered:
    return outbox.deliver(connection, hooks, webhook.send)


def _is_signed(secret: bytes, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver checks it, by the specification alone."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split()


def test_every_occurrence_is_delivered_once_in_order_and_signed(store: sqlite3.Connection, receiver: Receiver) -> None:
    hook = Hook(receiver.url, SECRET)
    assert _deliver(store, hook) == outbox.Delivered(3, 0, ())
    assert [json.loads(body)["kind"] for body in receiver.bodies] == ["found", "gated", "failed"]
    assert receiver.ids == [f"{occurring.store_name(store)}_{number}" for number in (1, 2, 3)]
    for headers, body in zip(receiver.headers, receiver.bodies, strict=True):
        assert _is_signed(b"a key of twenty-four byt", headers, body)
        assert not _is_signed(b"another key", headers, body)
        assert not _is_signed(b"a key of twenty-four byt", headers, body + b" ")
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 3600
        assert headers["content-type"] == "application/json"
    assert _deliver(store, hook) == outbox.Delivered(0, 0, ())
    assert len(receiver.bodies) == 3


def test_the_signature_is_that_of_the_specification() -> None:
    # The example of https://github.com/standard-webhooks/standard-webhooks, as its libraries test it.
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_body_is_what_the_schema_says_and_has_the_finding_with_its_explanations(
    store: sqlite3.Connection, receiver: Receiver
) -> None:
    _deliver(store, Hook(receiver.url, SECRET))
    for body in receiver.bodies:
        _validator().validate(json.loads(body))
    lines = json.loads(receiver.bodies[0])["finding"]["lines"]
    assert lines
    assert all(line["innocent"] for line in lines)
    assert "finding" not in json.loads(receiver.bodies[1])


def _validator() -> Draft202012Validator:
    schemas = [
        json.loads((ROOT / f"detector/report/detector-{name}-1.schema.json").read_text("utf-8"))
        for name in ("finding", "occurrence")
    ]
    for each in schemas:
        Draft202012Validator.check_schema(each)
    registry: Registry[Any] = Registry().with_resources(
        [(each["$id"], Resource.from_contents(each)) for each in schemas]
    )
    return Draft202012Validator(schemas[1], registry=registry)


def test_a_hook_is_told_the_kinds_that_it_wants(store: sqlite3.Connection, receiver: Receiver) -> None:
    hook = Hook(receiver.url, "", frozenset({"gated"}))
    assert _deliver(store, hook) == outbox.Delivered(1, 0, ())
    assert [json.loads(body)["subject"] for body in receiver.bodies] == ["hf:org/closed"]
    assert "webhook-signature" not in receiver.headers[0], "without a secret there is nothing to sign with"


def test_a_hook_that_is_new_is_told_what_occurs_from_then_on(store: sqlite3.Connection, receiver: Receiver) -> None:
    hook = Hook(receiver.url)
    outbox.meet(store, [hook])
    findings.tell(store, AT, "vanished", "hf:org/closed", "the hub does not list it any more")
    outbox.meet(store, [hook])
    assert _deliver(store, hook).sent == 1
    assert json.loads(receiver.bodies[0])["kind"] == "vanished"


def test_a_run_that_is_killed_after_a_delivery_repeats_it_with_the_same_id_and_body(
    store: sqlite3.Connection, receiver: Receiver
) -> None:
    def killed(*arguments: Any) -> None:
        webhook.send(*arguments)
        raise KeyboardInterrupt

    hook = Hook(receiver.url, SECRET)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(store, [hook], killed)
    findings.accept(store, AT, findings.findings(store)[0].id, "the same team")  # meanwhile
    _deliver(store, hook)
    assert [each.rpartition("_")[2] for each in receiver.ids] == ["1", "1", "2", "3", "4"]
    assert receiver.bodies[0] == receiver.bodies[1]


@pytest.mark.parametrize("bad", [status(429), status(500), status(503), hang_up, garbage])
def test_what_may_be_better_the_next_time_is_tried_again(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float], bad: Answer
) -> None:
    receiver.answers = [bad, bad, status(204)]
    assert _deliver(store, Hook(receiver.url, SECRET)) == outbox.Delivered(3, 0, ())
    assert waits == [1.0, 2.0]
    assert len(set(receiver.ids[:3])) == 1


def test_a_receiver_that_says_when_is_asked_then(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float]
) -> None:
    receiver.answers = [status(429, retry_after="7"), status(503, retry_after="soon"), status(200)]
    _deliver(store, Hook(receiver.url))
    assert waits == [7.0, 2.0]


def test_a_receiver_may_say_when_by_a_date(receiver: Receiver) -> None:
    found: list[float] = []
    receiver.answers = [status(503, retry_after=formatdate(1_000_030, usegmt=True)), status(200)]
    webhook.send(receiver.url, "", "id", b"{}", clock=lambda: 1_000_000.0, sleep=found.append)
    assert found == [30.0]


@pytest.mark.parametrize(("after", "waited"), [("86400", []), ("0", [1.0, 2.0, 4.0, 8.0, 16.0])])
def test_a_receiver_that_stays_down_is_left_until_the_next_run(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float], after: str, waited: list[float]
) -> None:
    receiver.answers = [status(503, retry_after=after)]
    hook = Hook(receiver.url, SECRET)
    found = _deliver(store, hook)
    assert (found.sent, found.waiting) == (0, 3)
    assert waits == waited
    assert "503 Service Unavailable" in found.failures[0]
    receiver.answers = [status(200)]
    assert _deliver(store, hook) == outbox.Delivered(3, 0, ())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(400), "400 Bad Request"),
        (status(401), "401 Unauthorized"),
        (status(404), "404 Not Found"),
        (status(410), "410 Gone: it wants no more"),
        (status(302, location="http://127.0.0.1:1/elsewhere"), "302 Found, which is not followed"),
        (status(308, location="/elsewhere"), "308 Permanent Redirect, which is not followed"),
    ],
)
def test_a_refusal_is_told_and_neither_followed_nor_tried_again_in_this_run(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float], answer: Answer, said: str
) -> None:
    receiver.answers = [answer]
    found = _deliver(store, Hook(receiver.url, SECRET))
    assert (found.sent, found.waiting) == (0, 3)
    assert said in found.failures[0]
    assert waits == []
    assert len(receiver.bodies) == 1


def test_a_hook_that_fails_does_not_hold_up_another(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float]
) -> None:
    receiver.answers = [status(404), status(200)]
    closed = Hook(receiver.url)
    opened = Hook(receiver.url.replace("/hooks/", "/others/"))
    assert _deliver(store, closed, opened).sent == 3
    assert _deliver(store, closed, opened).sent == 3
    assert len(receiver.bodies) == 7


@pytest.mark.parametrize("answer", [silence, drip])
def test_a_receiver_that_never_comes_to_an_end_is_given_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(webhook, "TRY_SECONDS", 0.3)
    monkeypatch.setattr(webhook, "TRIES", 2)
    receiver.answers = [answer]
    with pytest.raises(webhook.UndeliveredError, match="does not answer within"):
        webhook.send(receiver.url, "", "id", b"{}", sleep=lambda _: None)
    assert len(receiver.bodies) == 2


def test_silence_is_given_up_by_itself(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(webhook, "TRIES", 1)
    receiver.answers = [silence]
    with pytest.raises(webhook.UndeliveredError, match="says nothing for"):
        webhook.send(receiver.url, "", "id", b"{}")


def test_a_body_without_end_is_not_read(receiver: Receiver) -> None:
    receiver.answers = [endless]
    webhook.send(receiver.url, "", "id", b"{}")
    assert len(receiver.bodies) == 1


def test_nobody_who_listens_is_told_in_words(receiver: Receiver) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(webhook.UndeliveredError, match="cannot be reached \\(Connection refused\\)"):
            webhook.send(url, "", "id", b"{}", sleep=lambda _: None)


@pytest.mark.parametrize("answer", [status(404), status(302, location="http://T0P-S3CR3T/"), status(503), hang_up])
def test_what_gives_access_is_in_no_message_and_not_in_the_store(
    store: sqlite3.Connection, receiver: Receiver, waits: list[float], answer: Answer
) -> None:
    receiver.answers = [answer]
    hook = Hook(receiver.url, SECRET)
    found = _deliver(store, hook)
    dump = "\n".join(store.iterdump())
    for text in (found.failures[0], repr(hook), repr(found), dump):
        assert "T0P-S3CR3T" not in text
        assert SECRET not in text
    assert f"http://127.0.0.1:{receiver.url.split(':')[2][:4]}" in found.failures[0]


def test_two_secrets_make_two_signatures(receiver: Receiver) -> None:
    webhook.send(receiver.url, f"old-one {SECRET}", "id", b"{}")
    headers = receiver.headers[0]
    assert len(headers["webhook-signature"].split()) == 2
    assert _is_signed(b"old-one", headers, b"{}")
    assert _is_signed(b"a key of twenty-four byt", headers, b"{}")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "https://",
        "https://user:T0P-S3CR3T@example.org/hook",
        "https://example.org:99999/T0P-S3CR3T",
        "https://example.org/T0P-S3CR3T\r\nx: y",
        "https://example.org/T0P-S3CR3T#part",
        "https://[::1/T0P-S3CR3T",
        "",
        "example.org/T0P-S3CR3T",
    ],
)
def test_what_is_no_address_of_a_webhook_is_refused_in_a_line_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(UserError) as caught:
        outbox.hook(url, "", (), {})
    assert "T0P-S3CR3T" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("environment", "said"),
    [({}, "has no secret"), ({"HOOK": " "}, "has no secret"), ({"HOOK": "whsec_T0P-S3CR3T"}, "base64")],
)
def test_a_secret_that_is_none_is_told_by_the_name_of_its_variable(environment: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        outbox.hook("https://example.org/", "HOOK", (), environment)
    assert "HOOK" in str(caught.value)
    assert "T0P-S3CR3T" not in str(caught.value)


def test_a_kind_that_there_is_not_is_told() -> None:
    with pytest.raises(UserError, match="'find' is none of found, changed"):
        outbox.hook("https://example.org/", "", ["find"], {})


def test_one_address_is_one_hook(store: sqlite3.Connection) -> None:
    with pytest.raises(UserError, match="same address"):
        _deliver(store, Hook("https://example.org/"), Hook("https://example.org/", "", frozenset({"found"})))


@pytest.mark.parametrize("position", [-1, 4, 2**62])
def test_a_position_that_no_delivery_has_written_is_told(store: sqlite3.Connection, position: int) -> None:
    hook = Hook("https://example.org/")
    store.execute("INSERT INTO hook VALUES (?,?)", (hook.id, position))
    with pytest.raises(UserError, match="damaged"):
        _deliver(store, hook)


def test_the_receiver_in_the_documentation_takes_what_is_signed_once_and_nothing_else(
    store: sqlite3.Connection, receiver: Receiver
) -> None:
    page = (ROOT / "docs/findings.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    _deliver(store, Hook(receiver.url, SECRET))
    accepts = names["is_from_scan"]
    headers, body = receiver.headers[0], receiver.bodies[0]
    assert accepts(headers, body, SECRET)
    assert not accepts(headers, body, "whsec_" + base64.b64encode(b"another").decode())
    assert not accepts(headers, body + b" ", SECRET)
    assert not accepts({**headers, "webhook-id": "other_1"}, body, SECRET)
    assert not accepts({**headers, "webhook-timestamp": "1614265330"}, body, SECRET), "old ones are replayed"


# --- files ---


def test_occurrences_are_appended_to_a_file_each_once(store: sqlite3.Connection, tmp_path: Path) -> None:
    file = tmp_path / "occurrences.jsonl"
    assert outputs.append_occurrences(store, file) == 3
    assert outputs.append_occurrences(store, file) == 0
    findings.tell(store, AT, "vanished", "hf:org/\ud800closed", "gone\x1b[31m")
    assert outputs.append_occurrences(store, file) == 1
    documents = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [each["sequence"] for each in documents] == [1, 2, 3, 4]
    for each in documents:
        _validator().validate(each)
    assert b"\x1b" not in file.read_bytes()


def test_a_file_that_was_cut_anywhere_becomes_whole_again(store: sqlite3.Connection, tmp_path: Path) -> None:
    file = tmp_path / "occurrences.jsonl"
    outputs.append_occurrences(store, file)
    whole = file.read_bytes()
    for end in range(0, len(whole) + 1, 7):
        file.write_bytes(whole[:end])
        outputs.append_occurrences(store, file)
        assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "content",
    [
        b"a letter\n",
        b"a letter",
        b'{"schema": "detector-finding/1"}\n',
        b"[]\n",
        b'{"schema": "detector-occurrence/1", "sequence": true, "id": ""}\n',
        b'{"schema": "detector-occurrence/1", "sequence": 1, "id": "0000000000000000_1"}\n',
        b"x" * 5_000_000,
    ],
)
def test_a_file_of_anything_else_is_left_as_it_is(store: sqlite3.Connection, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "letter"
    file.write_bytes(content)
    with pytest.raises(UserError, match="letter: "):
        outputs.append_occurrences(store, file)
    assert file.read_bytes() == content


def test_a_file_that_knows_more_than_the_store_is_told(store: sqlite3.Connection, tmp_path: Path) -> None:
    file = tmp_path / "occurrences.jsonl"
    outputs.append_occurrences(store, file)
    store.execute("DELETE FROM occurrence WHERE sequence = 3")  # a store that was restored from a copy
    with pytest.raises(UserError, match="does not have"):
        outputs.append_occurrences(store, file)


def test_an_impossible_file_of_occurrences_is_told(store: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        outputs.append_occurrences(store, tmp_path)


def test_findings_are_written_whole_one_a_line(store: sqlite3.Connection, tmp_path: Path) -> None:
    file = tmp_path / "findings.jsonl"
    file.write_text("what was there")
    outputs.write_findings(store, file)
    (line,) = file.read_text("utf-8").splitlines()
    schema = json.loads((ROOT / "detector/report/detector-finding-1.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(line))
