"""The bundle of the browser client: its forms, its caching, and when the sources are served in its place."""

import gzip
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.phoenix_client import Response, request
from tests.support.server import Server
from web.http.bundle import WEB, load_bundle
from web.http.encoded import EncodedFile
from web.http.pages import Client

BUNDLE = WEB / "bundle"  # as `make bundle` made it
HASHED = re.compile(r"[a-z0-9-]+-[A-Z0-9]{8}\.js")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


@pytest.fixture
def scripts() -> list[Path]:
    return list((BUNDLE / "assets").glob("*.js"))


@pytest.fixture
def script(scripts: list[Path]) -> Path:
    """The largest script, which is worth compressing."""
    return max(scripts, key=lambda path: path.stat().st_size)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A copy of the sources and their bundle, to be edited."""
    shutil.copytree(BUNDLE, tmp_path / "bundle")
    shutil.copytree(WEB / "client", tmp_path / "client", ignore=shutil.ignore_patterns("typescript", "@typescript"))
    return tmp_path


def client_of(web: Path) -> Client:
    return Client(load_bundle(web / "bundle", web / "client"))


def is_bundled(client: Client) -> bool:
    return "/assets/main-" in client.page.text


def get(server: Server, target: str, accept_encoding: str = "", method: str = "GET", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(server.port, method, target, {"Accept-Encoding": accept_encoding, **named})


def test_every_script_has_its_contents_hash_in_its_name(scripts: list[Path]) -> None:
    assert scripts
    assert [path.name for path in scripts if not HASHED.fullmatch(path.name)] == []


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("br;q=0,gzip;q=0.000", None),
        ("br ; q=0.5 , gzip", "br"),
        ("*", "br"),
        ("*;q=0, gzip", "gzip"),
        ("br;q=0, *", "gzip"),
        ("br;q=much", None),
        ("br;level=1", None),
        ("identity", None),
        ("deflate,,;;=", None),
        ("", None),
    ],
)
def test_a_script_comes_in_the_smallest_form_that_the_client_takes(
    server: Server, script: Path, accepts: str, encoding: str | None
) -> None:
    answer = get(server, f"/assets/{script.name}", accepts)
    form = script.with_name(script.name + {"br": ".br", "gzip": ".gz", None: ""}[encoding])
    assert answer.status == 200
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-length"] == str(form.stat().st_size)
    assert answer.body == form.read_bytes()


def test_the_forms_of_a_script_are_the_same_script(script: Path) -> None:
    assert gzip.decompress(script.with_name(script.name + ".gz").read_bytes()) == script.read_bytes()
    assert script.with_name(script.name + ".br").stat().st_size < script.with_name(script.name + ".gz").stat().st_size


def test_a_script_is_never_asked_for_again(server: Server, script: Path) -> None:
    answer = get(server, f"/assets/{script.name}", "br")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("address", ["/", "/rooms/garden", "/sw.js", "/favicon.ico"])
def test_an_address_without_a_hash_is_revalidated(server: Server, address: str) -> None:
    assert get(server, address, "br").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("address", ["/", "/sw.js", "/favicon.ico", "/assets/{script}"])
@pytest.mark.parametrize("accepts", ["br", "gzip", ""])
def test_each_form_has_its_own_etag(server: Server, script: Path, address: str, accepts: str) -> None:
    address = address.format(script=script.name)
    answer = get(server, address, accepts)
    head = get(server, address, accepts, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("etag", "content-length", "content-type", "content-encoding", "vary", "cache-control"):
        assert head.headers.get(name) == answer.headers.get(name)
    again = get(server, address, accepts, If_None_Match=answer.headers["etag"])
    assert (again.status, again.body, again.headers["vary"]) == (304, b"", "Accept-Encoding")
    if "content-encoding" in answer.headers:
        assert get(server, address, If_None_Match=answer.headers["etag"]).status == 200


def test_a_script_that_is_no_longer_there_is_not_cached_for_a_year(server: Server) -> None:
    answer = get(server, "/assets/main-AAAAAAAA.js", "br")
    assert answer.status == 404
    assert "cache-control" not in answer.headers


def test_the_page_is_that_of_the_bundle(web: Path) -> None:
    assert is_bundled(client_of(web))


@pytest.mark.parametrize("source", ["main.js", "styles/page.css", "index.html", "sw.js", "components/app.js"])
def test_an_edited_source_is_served_at_once_and_the_bundle_again_when_the_edit_is_undone(
    web: Path, source: str
) -> None:
    client = client_of(web)
    path = web / "client" / source
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    assert not is_bundled(client)
    assert client.bundle is None
    path.write_bytes(before)
    assert is_bundled(client)


def test_an_edit_that_keeps_the_size_is_noticed(web: Path) -> None:
    path = web / "client" / "main.js"
    client = client_of(web)
    path.write_bytes(path.read_bytes().replace(b"import", b"export", 1))
    os.utime(path, (1, 1))
    assert not is_bundled(client)


def test_a_source_that_is_gone_or_newer_than_the_bundle_at_the_start_has_the_sources_served(
    web: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (web / "client" / "time.js").unlink()
    assert not is_bundled(client_of(web))
    assert "the client's bundle is of other sources" in caplog.text


@pytest.mark.parametrize("contents", [None, "", "{}", '{"sources": 1}'])
def test_without_a_whole_bundle_the_sources_are_served(
    web: Path, contents: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    (web / "bundle" / "bundle.json").unlink()
    if contents is not None:
        (web / "bundle" / "bundle.json").write_text(contents)
    assert not is_bundled(client_of(web))
    assert "`make bundle` makes it" in caplog.text


def test_a_page_that_was_loaded_before_an_edit_finds_the_rest_of_its_bundle(web: Path, script: Path) -> None:
    client = client_of(web)
    (web / "client" / "main.js").write_text("")
    assert client.asset(script.name) is not None


def test_a_file_that_compression_does_not_shrink_has_one_form() -> None:
    file = EncodedFile("text/plain", {"": b"a"})
    assert file.form_for("br, gzip").encoding == ""
