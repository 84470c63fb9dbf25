# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The page `/docs`: the OpenAPI description in the design of the other pages. It loads no external files."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

from mtrefseg.io import fill_template

from .bodies import MULTIPART
from .middleware import DEMO, SEGMENT


TEMPLATE = Path(__file__).with_name("api_page.html")
EXAMPLE = """curl --fail-with-body {address}{path} \\
  -F image_t1=@before.jpg \\
  -F image_t2=@after.jpg \\
  -F "sentences=the house that appeared" """
_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_REFERENCE = re.compile(r"#/components/schemas/(\w+)")
Schema = dict[str, Any]


def api_page(description: Schema, address: str, has_demo: bool, needs_token: bool) -> str:
    """
    Writes the page.

    Args:
        description (`dict`): Result of `FastAPI.openapi`.
        address (`str`): Address of the server, without a slash at its end; used in the example.
        has_demo (`bool`): Whether the demo is mounted.
        needs_token (`bool`): Whether requests need a token.

    Returns:
        `str`: HTML.
    """
    links = [("/openapi.json", "OpenAPI description")]
    links += [(f"{DEMO}/", "Demo")] if has_demo else []
    example = EXAMPLE.format(address=address, path=SEGMENT).rstrip()
    if needs_token:
        example += ' \\\n  -H "Authorization: Bearer TOKEN"'
    requests = [
        _request(method, path, operation)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]
    schemas = description["components"]["schemas"]
    objects = [
        f'<h3 id="{escape(name)}">{escape(name)}</h3>{_about(schemas[name])}{_table(schemas[name])}'
        for name in _answered(description["paths"], schemas)
    ]
    return fill_template(
        TEMPLATE,
        version=escape(description["info"]["version"]),
        description=escape(" ".join(description["info"]["description"].split())),
        links=" · ".join(f'<a href="{target}">{escape(text)}</a>' for target, text in links),
        example=escape(example),
        requests="\n".join(requests),
        objects="\n".join(objects),
    )


def _request(method: str, path: str, operation: Schema) -> str:
    """One path: what it does, its fields, and its responses."""
    parts = [
        f'<section><h2><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code></h2>',
        f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>",
    ]
    body = operation.get("requestBody")
    if body:
        parts.append(f"<h3>Fields of the form, or of JSON</h3>{_table(body['content'][MULTIPART]['schema'])}")
    answers: dict[str, list[str]] = {}
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if content.get("$ref"):
            answers.setdefault(_type_of(content), []).append(status)
    said = [f"{', '.join(statuses)}: {name}" for name, statuses in answers.items()]
    if said:
        parts.append(f"<h3>Answers</h3><p>{'; '.join(said)}</p>")
    return "".join([*parts, "</section>"])


def _answered(paths: Schema, schemas: Schema) -> list[str]:
    """The names of all objects in responses, each after the one that contains it."""
    names = _REFERENCE.findall(json.dumps(paths))
    for name in names:
        names += [each for each in _REFERENCE.findall(json.dumps(schemas[name])) if each not in names]
    return list(dict.fromkeys(names))


def _about(schema: Schema) -> str:
    return f"<p>{escape(schema['description'])}</p>" if "description" in schema else ""


def _table(schema: Schema) -> str:
    """The fields of an object."""
    required = schema.get("required", [])
    rows = []
    for name, field in schema["properties"].items():
        about = escape(field.get("description", ""))
        if "default" in field and field["default"] is not None:
            about += f" By default <code>{escape(str(field['default']))}</code>."
        kind = _type_of(field) if name in required else f"{_type_of(_without_null(field))}, optional"
        rows.append(f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{about}</td></tr>")
    head = "<tr><th>name</th><th>value</th><th>meaning</th></tr>"
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'


def _without_null(schema: Schema) -> Schema:
    """The values that a field may have if it is given."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return {**schema, "anyOf": kinds} if "anyOf" in schema else schema


def _type_of(schema: Schema) -> str:
    """The type of a value, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type_of, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        inner = schema.get("items", {})
        if inner.get("type") == "array" and "items" in inner:
            while "items" in inner:
                inner = inner["items"]
            return f"nested lists of {_type_of(inner)}"
        return f"list of {_type_of(schema['items'])}" if "items" in schema else f"{len(schema['prefixItems'])} numbers"
    if schema.get("format") == "binary":
        return "file"
    name = _NAMES[schema["type"]]
    return f"{name}, {schema['minimum']:g} to {schema['maximum']:g}" if "maximum" in schema else name
