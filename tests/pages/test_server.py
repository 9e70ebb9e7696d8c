"""A real server, asked without a browser: hosts, headers, the cookie, a run's records, and the upload budget."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from lstm_core.runs.records import RECORD, RecordWriter, offset_of
from pages.shared.server.buckets import HEADER
from pages.shared.server.routes import MAX_RECORDS
from tests.browser.conftest import server

ID, STEPS = "0123456789abcdef01234567", 300
MB = 1 << 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server finds one run, of STEPS steps."""
    home = tmp_path_factory.mktemp("home")
    write_run(home / "runs" / ID, STEPS)
    (home / "secret").write_text("not for the web")
    return home


def write_run(folder: Path, steps: int) -> None:
    folder.mkdir(parents=True)
    writer = RecordWriter(folder / "records.bin", 0)
    for step in range(1, steps + 1):
        valid = 1 / step if step % 10 == 0 else None
        loss = float("inf") if step == 7 else 1 + 1 / step
        writer.append({"step": step, "train_loss": loss, "grad_norm": step, "lr": 0.1, "valid_loss": valid})
    writer.close()


@pytest.fixture(scope="module")
def netloc(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    environment = {
        "LSTM_PLAYGROUND_HOME": str(home),
        "LSTM_PLAYGROUND_HOSTS": "lab.example.org, [fe80::1]",
        "LSTM_PLAYGROUND_UPLOAD_MB": "1",
    }
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with server(log, **environment) as address:
        yield urlsplit(address).netloc
    assert "Traceback" not in log.read_text()


def ask(
    netloc: str, path: str, method: str = "GET", body: object = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(netloc, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response, response.read()


def named(netloc: str, host: str, path: str = "/_stcore/health") -> tuple[int, str]:
    response, body = ask(netloc, path, Host=host)
    return response.status, body.decode()


# ---- hosts ----


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:80", "127.0.0.1:9", "[::1]:8501", "lab.example.org", "[fe80::1]:5", "localhost."]
)
def test_the_servers_own_names_are_answered(netloc, host):
    assert named(netloc, host) == (200, "ok")


@pytest.mark.parametrize(
    "host", ["evil.com", "localhost.evil.com", "evil.com:8501", "", "0.0.0.0", "a@localhost", "localhost/x", "[::1"]
)
def test_a_strangers_name_is_refused_with_one_sentence_that_says_what_to_do(netloc, host):
    for path in ("/", "/_stcore/health", f"/run/{ID}/records"):
        status, text = named(netloc, host, path)
        assert status == 403
        assert "localhost" in text and "LSTM_PLAYGROUND_HOSTS=" in text and text.count("\n") == 1


def test_what_is_no_name_is_not_repeated(netloc):
    assert "<b>" not in named(netloc, "<b>x</b>")[1]


def open_websocket(netloc: str, host: str) -> connect:
    headers = {"Origin": f"http://{host}"}
    sock = None if host == netloc else http.client.socket.create_connection(netloc.split(":"))
    return connect(f"ws://{host}/_stcore/stream", sock=sock, additional_headers=headers, subprotocols=["streamlit"])


def test_a_websocket_by_a_strangers_name_is_refused(netloc):
    with pytest.raises(InvalidStatus) as refused, open_websocket(netloc, "evil.com:8501"):
        pass
    assert refused.value.response.status_code == 403
    with open_websocket(netloc, netloc) as socket:
        assert socket.protocol.state is State.OPEN


# ---- headers and cookie ----


def test_every_answer_says_what_a_browser_may_do_with_it(netloc):
    for path in ("/", "/train", "/_stcore/health", f"/run/{ID}/records"):
        headers = ask(netloc, path)[0].headers
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy and "default-src 'self'" in policy
        assert not re.search(r"script-src[^;]*(?<!wasm-)unsafe|\*|https?:", policy)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_page_brings_a_secret_once(netloc):
    response, _ = ask(netloc, "/train")
    cookie = response.headers["Set-Cookie"]
    secret = re.match(r"lstm_playground=([\w-]{43});", cookie)[1]
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"} <= set(cookie.split("; "))
    assert response.headers["Cache-Control"] == "no-store"
    again, _ = ask(netloc, "/train")
    assert secret not in again.headers["Set-Cookie"]
    known, _ = ask(netloc, "/train", Cookie=f"other=1; lstm_playground={secret}")
    assert known.headers["Set-Cookie"] is None


@pytest.mark.parametrize("value", ["", "short", "a" * 500, "%0d%0ax" * 5])
def test_a_cookie_that_cannot_be_ours_is_replaced(netloc, value):
    assert "lstm_playground=" in ask(netloc, "/", Cookie=f"lstm_playground={value}")[0].headers["Set-Cookie"]


def test_who_has_the_page_but_no_cookie_gets_one(netloc):
    tag = ask(netloc, "/")[0].headers["ETag"]
    response, body = ask(netloc, "/", If_None_Match=tag)
    assert response.status == 200 and body and "lstm_playground=" in response.headers["Set-Cookie"]


# ---- records ----


def test_records_are_the_files_own_bytes(netloc, home):
    data = (home / "runs" / ID / "records.bin").read_bytes()
    for start in (0, 1, STEPS - 1, STEPS, STEPS + 5, 2**32):
        response, body = ask(netloc, f"/run/{ID}/records?from={start}", Accept_Encoding="gzip")
        assert response.status == 200 and response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Encoding"] in (None, "identity")
        assert body == data[min(offset_of(start), len(data)) :]
    assert ask(netloc, f"/run/{ID}/records")[1] == data[offset_of(0) :]


def test_one_answer_is_bounded(netloc, home):
    folder = home / "runs" / ("a" * 24)
    write_run(folder, MAX_RECORDS + 10)
    assert len(ask(netloc, f"/run/{folder.name}/records")[1]) == MAX_RECORDS * RECORD.itemsize < 2 * MB
    rest = np.frombuffer(ask(netloc, f"/run/{folder.name}/records?from={MAX_RECORDS}")[1], RECORD)
    assert rest["step"].tolist() == list(range(MAX_RECORDS + 1, MAX_RECORDS + 11))


@pytest.mark.parametrize(
    "id", ["abcdefghij-_1235", "..", "%2e%2e", "..%2f..%2fsecret", "%00" * 16, "a" * 16, "abcdefghij-_1234%0a"]
)
def test_an_id_that_names_no_run_is_not_found(netloc, id):
    for what in ("records?from=0", "curves?buckets=10"):
        response, body = ask(netloc, f"/run/{id}/{what}")
        assert response.status in (404, 400)  # Streamlit itself refuses paths that lead out
        assert b"not for the web" not in body


@pytest.mark.parametrize("start", ["-1", "x", "1.5", "", "9" * 30, "%D9%A3", "1%0a", "4294967297"])
def test_a_start_that_is_no_number_is_a_bad_request(netloc, start):
    assert ask(netloc, f"/run/{ID}/records?from={start}")[0].status == 400


@pytest.mark.parametrize("count", ["0", "-5", "8001", "x", ""])
def test_so_is_a_number_of_buckets(netloc, count):
    assert ask(netloc, f"/run/{ID}/curves?buckets={count}")[0].status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written(netloc, method):
    assert ask(netloc, f"/run/{ID}/records", method)[0].status == 405


@pytest.mark.parametrize(("count", "each"), [(2000, 1), (100, 3), (7, 43), (1, STEPS)])
def test_curves_are_all_records_in_a_few_buckets(netloc, home, count, each):
    body = ask(netloc, f"/run/{ID}/curves?buckets={count}")[1]
    covered, size, buckets, _ = HEADER.unpack_from(body)
    table = np.frombuffer(body, "<f4", offset=HEADER.size).reshape(3, 4, buckets)
    assert (covered, size, buckets) == (STEPS, each, -(-STEPS // each))
    loss = np.array([1 + 1 / step for step in range(1, STEPS + 1)])
    loss[6] = np.nan  # was inf
    steps = np.arange(1, STEPS + 1)
    valid = np.where(steps % 10 == 0, 1 / steps, np.nan)
    for (low, high, mean, finite), values in zip(table, (loss, valid, steps), strict=True):
        for k in range(buckets):
            part = values[k * each : (k + 1) * each]
            part = part[np.isfinite(part)]
            assert finite[k] == len(part)
            expected = [part.min(), part.max(), part.mean()] if len(part) else [np.nan] * 3
            np.testing.assert_allclose([low[k], high[k], mean[k]], expected, rtol=1e-6)


def test_a_run_without_records_yet_has_none(netloc, home):
    (home / "runs" / "ffffffffffffffffffffffff").mkdir()
    assert ask(netloc, "/run/ffffffffffffffffffffffff/records")[1] == b""
    assert HEADER.unpack(ask(netloc, "/run/ffffffffffffffffffffffff/curves")[1]) == (0, 1, 0, 0)


# ---- uploads ----


class Session:
    """A visitor's session, and what it uploads."""

    def __init__(self, netloc: str, socket: ClientConnection) -> None:
        self.netloc = netloc
        rerun = BackMsg()
        rerun.rerun_script.query_string = ""
        socket.send(rerun.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.recv(timeout=60))
            if message.WhichOneof("type") == "new_session":
                self.id = message.new_session.initialize.session_id
                break
        token = re.search(r"_streamlit_xsrf=([^;]+)", ask(netloc, "/_stcore/health")[0].headers["Set-Cookie"])[1]
        self.xsrf = {"X_Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}"}

    def put(self, name: str, size: int, chunked: bool = False) -> tuple[int, str]:
        head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.csv"\r\nContent-Type: text/csv\r\n\r\n'
        body = head + bytes(size) + b"\r\n--x--\r\n"
        parts = iter([body[k : k + 65536] for k in range(0, len(body), 65536)]) if chunked else body
        kind = "multipart/form-data; boundary=x"
        response, text = ask(self.netloc, self._path(name), "PUT", parts, Content_Type=kind, **self.xsrf)
        return response.status, text.decode()

    def delete(self, name: str) -> int:
        return ask(self.netloc, self._path(name), "DELETE", **self.xsrf)[0].status

    def _path(self, name: str) -> str:
        return f"/_stcore/upload_file/{self.id}/{name}"


def test_a_session_has_a_budget_for_its_uploads(netloc):
    with open_websocket(netloc, netloc) as socket, open_websocket(netloc, netloc) as other:
        session = Session(netloc, socket)
        assert session.put("first", 6 * MB // 10)[0] == 204
        status, text = session.put("second", 6 * MB // 10)
        assert status == 413 and "1 MB" in text and "LSTM_PLAYGROUND_UPLOAD_MB" in text
        assert session.put("third", 6 * MB // 10, chunked=True)[0] == 413
        assert session.put("small", MB // 10)[0] == 204
        assert Session(netloc, other).put("first", 6 * MB // 10)[0] == 204  # another session has its own
        assert session.delete("first") == 204
        assert session.put("second", 6 * MB // 10)[0] == 204
