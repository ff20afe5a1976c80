"""The document as a page for people: rendered here, without script, and with nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from typing import Final

from milepost.web.openapi.document import openapi
from milepost.web.openapi.message_schemas import Schema

_CODE: Final = re.compile(r"`([^`]+)`")
_SCHEMAS: Final = "#/components/schemas/"

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Milepost over HTTP</title>
<link rel="icon" href="assets/icon.svg">
<link rel="stylesheet" href="assets/docs.css">
</head>
<body>
<header><a href=".">milepost</a> / over HTTP <a href="v1/openapi.json">openapi.json</a></header>
<main>
<h1>Milepost over HTTP</h1>
{introduction}
<nav aria-label="calls"><ul>{contents}</ul></nav>
{operations}
<h2 id="messages">Messages</h2>
{messages}
</main>
</body>
</html>
"""


@cache
def docs_page() -> bytes:
    """The page; made once, like the document."""
    described = openapi()
    operations = [
        (f"{verb.upper()} {path}", operation)
        for path, verbs in described["paths"].items()
        for verb, operation in verbs.items()
    ]
    page = _PAGE.format(
        introduction=_prose(described["info"]["description"]),
        contents="".join(
            f'<li><a href="#{escape(operation["operationId"])}"><code>{escape(call)}</code></a></li>'
            for call, operation in operations
        ),
        operations="\n".join(_operation(call, operation) for call, operation in operations),
        messages="\n".join(
            _message(name, schema) for name, schema in described["components"]["schemas"].items()
        ),
    )
    return page.encode()


def _operation(call: str, operation: Schema) -> str:
    rows = [
        (
            parameter["name"],
            f"{parameter['in']}, {_type(parameter['schema'])}",
            parameter.get("description", ""),
        )
        for parameter in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    rows += _fields(body, prefix="body, ")
    taken = _table(rows) if rows else ""
    if "$ref" in body:
        taken += f"<p>Body: {_type(body)}.</p>"
    answers = "".join(
        f"<li>{_response(code, response)}</li>"
        for code, response in operation["responses"].items()
        if "$ref" not in response
    )
    return (
        f'<section id="{escape(operation["operationId"])}"><h2><code>{escape(call)}</code></h2>'
        f"{_prose(operation['description'])}{taken}<ul>{answers}</ul></section>"
    )


def _response(code: str, response: Schema) -> str:
    kinds = {
        _type(content["schema"]): media_type for media_type, content in response.get("content", {}).items()
    }
    shown = ", ".join(kinds)
    return f"<code>{escape(code)}</code> {shown} {_inline(response['description'])}"


def _message(name: str, schema: Schema) -> str:
    rows = _fields(schema)
    content = _table(rows) if rows else ""
    if "oneOf" in schema:
        content = f"<p>One of {', '.join(_type(each) for each in schema['oneOf'])}.</p>"
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        f"{_prose(schema.get('description', ''))}{content}</section>"
    )


def _fields(schema: Schema, prefix: str = "") -> list[tuple[str, str, str]]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return [(name, prefix + _type(field), field.get("description", "")) for name, field in properties.items()]


def _type(schema: Schema) -> str:
    """The type of a value as HTML, with a link to its message."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(_SCHEMAS))
        return f'<a href="#{name}">{name}</a>'
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"{_type(schema['items'])}[]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{_type(schema['additionalProperties'])} by key"
    if "oneOf" in schema:
        return " | ".join(_type(each) for each in schema["oneOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(each)}</code>" for each in schema["enum"])
    return escape(schema.get("format") or schema.get("type", "any"))


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    """A table of names and types, which are HTML, with their descriptions."""
    return (
        "<table>"
        + "".join(
            f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}</td><td>{_inline(text)}</td></tr>'
            for name, kind, text in rows
        )
        + "</table>"
    )


def _prose(text: str) -> str:
    """Paragraphs, and lists where their lines begin with a dash."""
    return "".join(
        _list(part) if part.startswith("- ") else f"<p>{_inline(part)}</p>"
        for part in text.split("\n\n")
        if part
    )


def _list(text: str) -> str:
    items = text.removeprefix("- ").split("\n- ")
    return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</ul>"


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
