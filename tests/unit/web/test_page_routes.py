"""The pages and their files, as a browser gets them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Final

import httpx
import pytest
from starlette.applications import Starlette

from milepost.web.app import web_app
from tests.support.app_server import serving
from tests.support.http_watch import http_client
from tests.support.scripted_jobs import ScriptedJobs

# Bytes of the page of a job with all that it loads at first, compressed; and with all that it may load later.
_BUDGET: Final = 100_000
_BUDGET_OF_ALL: Final = 110_000


@asynccontextmanager
async def client_at(path: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, mounted at ``path``."""
    app = web_app(ScriptedJobs())
    if path:
        outer = Starlette()
        outer.mount(path, app)
        app = outer
    async with serving(app) as url, http_client(url + path) as client:
        yield client


def _loaded_by(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="([^"]+)"', page)


@pytest.mark.parametrize("mounted_at", ["", "/a/b"])
@pytest.mark.parametrize("path", ["/", "/jobs/01a2"])
async def test_a_page_loads_under_any_path(mounted_at: str, path: str) -> None:
    """Its addresses are relative, and each of them is a file of the package."""
    async with client_at(mounted_at) as client:
        page = await client.get(path)
        files = [await client.get(page.url.join(each)) for each in _loaded_by(page.text)]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert {file.status_code for file in files} == {200}
    assert {file.headers["content-type"].partition(";")[0] for file in files} == {
        "image/svg+xml",
        "text/javascript",
    }


async def test_what_a_browser_has_is_not_sent_again() -> None:
    """A file is named alike in each version, so a browser asks for it, with the tag of the one that it has."""
    async with client_at() as client:
        first = await client.get("/assets/elements.js")
        tag = first.headers["etag"]
        for known in ("*", f'"0", {tag}', f"W/{tag}"):
            again = await client.get("/assets/elements.js", headers={"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
        second = await client.get("/assets/elements.js", headers={"if-none-match": tag})
        other = await client.get("/assets/elements.js", headers={"if-none-match": '"0"'})

    assert (first.headers["cache-control"], first.headers["content-encoding"]) == ("no-cache", "gzip")
    assert (second.status_code, second.content) == (304, b"")
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.000, *", None),
        ("*;q=0", None),
        ("br", None),
        ("not-gzip", None),
        ("", None),
    ],
)
async def test_files_are_compressed_for_those_who_take_that(accepted: str, encoding: str | None) -> None:
    """Weight 0 refuses an encoding."""
    async with client_at() as client:
        response = await client.get("/assets/docs.css", headers={"accept-encoding": accepted})

    assert response.headers.get("content-encoding") == encoding
    assert response.content == resources.files("milepost.web").joinpath("assets/docs.css").read_bytes()


@pytest.mark.parametrize("mounted_at", ["", "/a/b"])
async def test_browsers_find_an_icon_where_they_look(mounted_at: str) -> None:
    """Beside what is no page they ask for one of this name."""
    async with client_at(mounted_at) as client:
        response = await client.get("/favicon.ico")

    assert (response.status_code, response.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("mounted_at", ["", "/a/b"])
@pytest.mark.parametrize("path", ["/v1", "/v1/"])
async def test_whoever_looks_what_there_is_finds_the_description(mounted_at: str, path: str) -> None:
    """Under any path."""
    async with client_at(mounted_at) as client:
        response = await client.get(path, follow_redirects=True)

    assert "/v1/jobs" in response.json()["paths"]


@pytest.mark.parametrize("mounted_at", ["", "/a/b"])
async def test_the_description_is_a_page_for_people(mounted_at: str) -> None:
    """It has each call and message of the document, its links lead somewhere, and all that it loads is a file here."""
    async with client_at(mounted_at) as client:
        page = await client.get("/docs")
        described = (await client.get("/v1/openapi.json")).json()
        files = [await client.get(page.url.join(each)) for each in _loaded_by(page.text) if each[0] != "#"]

    ids = set(re.findall(r' id="([^"]+)"', page.text))
    operations = {each["operationId"] for verbs in described["paths"].values() for each in verbs.values()}
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert ids >= operations | set(described["components"]["schemas"])
    assert {link for link in re.findall(r'href="#([^"]+)"', page.text) if link not in ids} == set()
    assert {file.status_code for file in files} == {200}
    assert "<script" not in page.text


async def test_a_page_that_a_browser_has_keeps_its_policy() -> None:
    """The headers of a 304 replace those of the copy, and a page with the policy of data would load nothing."""
    async with client_at() as client:
        first = await client.get("/jobs/j")
        second = await client.get("/jobs/j", headers={"if-none-match": first.headers["etag"]})

    assert second.status_code == 304
    assert second.headers["content-security-policy"] == first.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/jobs/j"])
async def test_a_page_is_painted_without_another_file(path: str) -> None:
    """It waits for no style sheet: its style is inside, and its policy allows that one and no other."""
    async with client_at() as client:
        page = await client.get(path)

    [style] = re.findall("<style>(.*)</style>", page.text)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert 'rel="stylesheet"' not in page.text
    assert f"style-src 'self' 'sha256-{allowed}';" in page.headers["content-security-policy"]


@pytest.mark.parametrize("mounted_at", ["", "/a/b"])
@pytest.mark.parametrize("path", ["/nowhere", "/jobs/a/b"])
async def test_who_mistypes_an_address_gets_a_page(mounted_at: str, path: str) -> None:
    """With ways out of there, from any depth. Programs get JSON, and everybody below the paths of calls."""
    async with client_at(mounted_at) as client:
        page = await client.get(path, headers={"accept": "text/html,*/*"})
        found = [await client.get(str(page.url.join(address))) for address in _loaded_by(page.text)]
        others = [await client.get(path), await client.get("/v1/nowhere", headers={"accept": "text/html"})]

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "style-src" in page.headers["content-security-policy"]
    assert [response.status_code for response in found] == [200] * 5
    assert [(each.status_code, each.json()["error"]["status"]) for each in others] == [(404, "NOT_FOUND")] * 2


async def test_an_address_of_many_levels_gets_no_page() -> None:
    """It would be many times as long as the address."""
    async with client_at() as client:
        response = await client.get("/" + "a/" * 1000, headers={"accept": "text/html"})

    assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("name", ["none.js", "..%2f__init__.py", "%2e%2e/app.py", ""])
async def test_nothing_but_the_assets_is_served(name: str) -> None:
    """Whatever the path."""
    async with client_at() as client:
        response = await client.get(f"/assets/{name}")

    assert response.status_code == 404


async def test_the_page_of_a_job_fits_its_budget() -> None:
    """Page and elements together take at most 100 kB, compressed, and with what they load on demand 110 kB."""
    assets = resources.files("milepost.web").joinpath("assets")
    files = {file.name: len(gzip.compress(file.read_bytes())) for file in assets.iterdir()}
    loaded = {each.rpartition("/")[2] for each in _loaded_by(assets.joinpath("job.html").read_text())}

    on_demand = set(re.findall(r'import\("\./([\w.]+)"\)', assets.joinpath("elements.js").read_text()))
    first = sum(files[name] for name in {"job.html", *loaded})
    assert on_demand == {"events.js"}
    assert first <= _BUDGET
    assert first + sum(files[name] for name in on_demand) <= _BUDGET_OF_ALL


async def test_a_page_names_nothing_of_another_origin() -> None:
    """No font, script or picture comes from elsewhere."""
    assets = resources.files("milepost.web").joinpath("assets")
    pages = [file.read_text() for file in assets.iterdir() if file.name.endswith((".html", ".css"))]

    assert [page for page in pages if re.search(r"(?:https?:)?//[a-z]", page)] == []
