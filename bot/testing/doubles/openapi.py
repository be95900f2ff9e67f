"""Checks requests and answers against a vendor's own OpenAPI 3.0 description: so that a double cannot drift into agreeing only with us.

Covers what such descriptions of form-and-JSON APIs use: `$ref`, types, `nullable`, `required`, enums, patterns, lengths, bounds,
arrays, and the formats that decide something. Stricter than the vendor in one thing: a field the description does not name is
an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with the values found in the path."""

    spec: Schema
    path_values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Description:
    """An OpenAPI document. Methods return what is wrong, in words, and nothing when all is well."""

    document: Schema = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Description:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation that serves a path; one whose path has fewer variables goes first."""
        for template in sorted(self.document["paths"], key=lambda text: str(text).count("{")):
            found = re.fullmatch(re.sub(r"\\?\{(\w+)\\?\}", r"(?P<\1>[^/]+)", re.escape(template)), path)
            if found and method.lower() in self.document["paths"][template]:
                return Operation(self.document["paths"][template][method.lower()], found.groupdict())
        return None

    def request(self, method: str, target: str, content_type: str, body: bytes) -> list[str]:
        path, _, query = target.partition("?")
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path}: there is no such operation"]
        problems = list(self._parameters(operation, parse_qsl(query, keep_blank_values=True)))
        forms = operation.spec.get("requestBody", {}).get("content", {})
        if not forms:
            return problems + (["the operation takes no body"] if body else [])
        kind = content_type.partition(";")[0].strip()
        if kind not in forms:
            return [*problems, f"the body is {kind or 'of no type'}, not {' or '.join(forms)}"]
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return problems + list(self._form(forms[kind]["schema"], fields))

    def answer(self, method: str, target: str, status: int, value: Any) -> list[str]:
        operation = self.operation(method, target.partition("?")[0])
        if operation is None:
            return ["there is no such operation"]
        described = operation.spec["responses"].get(str(status))
        if described is None:
            return [f"HTTP {status} is not described"]
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        return list(self._value(schema, value, "answer")) if schema else []

    def _parameters(self, operation: Operation, query: Sequence[tuple[str, str]]) -> Iterator[str]:
        described = {(item["in"], item["name"]): item for item in operation.spec.get("parameters", ())}
        values = {("path", name): value for name, value in operation.path_values.items()}
        values |= {("query", name): value for name, value in query}
        for place, value in values.items():
            if place in described:
                yield from self._value(described[place]["schema"], _typed(self._resolve(described[place]["schema"]), value), place[1])
            else:
                yield f"{place[1]}: not a parameter of this operation"
        for place, item in described.items():
            if item.get("required") and place not in values:
                yield f"{place[1]}: is required"

    def _form(self, schema: Schema, fields: Sequence[tuple[str, str]]) -> Iterator[str]:
        schema = self._resolve(schema)
        properties: Mapping[str, Schema] = schema.get("properties", {})
        value: dict[str, Any] = {}
        for name, text in fields:
            kind = self._resolve(properties.get(name, {}))
            if kind.get("type") == "array":
                value.setdefault(name, []).append(_typed(self._resolve(kind.get("items", {})), text))
            elif name in value:
                yield f"{name}: given more than once"
            else:
                value[name] = _typed(kind, text)
        yield from self._value(schema, value, "body")

    def _value(self, schema: Schema, value: Any, where: str) -> Iterator[str]:
        schema = self._resolve(schema)
        if value is None:
            if not schema.get("nullable") and schema.get("type"):
                yield f"{where}: may not be null"
            return
        kind = str(schema.get("type", ""))
        if kind in _TYPES and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{where}: is {type(value).__name__}, not {kind}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: is none of {', '.join(map(str, schema['enum']))}"
        if isinstance(value, str):
            yield from _text(schema, value, where)
        elif isinstance(value, int | float):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                yield f"{where}: is out of bounds"
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self._value(schema.get("items", {}), item, f"{where}[{index}]")
        elif isinstance(value, dict):
            yield from self._object(schema, value, where)

    def _object(self, schema: Schema, value: Mapping[str, Any], where: str) -> Iterator[str]:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{where}.{name}: is required"
        for name, item in value.items():
            if name in properties:
                yield from self._value(properties[name], item, f"{where}.{name}")
            elif properties:
                yield f"{where}.{name}: is not described"

    def _resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            schema = found
        return schema


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
}  # fmt: skip


def _typed(schema: Schema, text: str) -> Any:
    """A parameter's text as the type it is described to be; the text itself if it is not of that type."""
    match schema.get("type"):
        case "integer" if re.fullmatch(r"-?\d+", text):
            return int(text)
        case "number" if re.fullmatch(r"-?\d+(\.\d+)?", text):
            return float(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
    return text


def _text(schema: Schema, value: str, where: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where}: is {len(value)} characters long"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: does not match {schema['pattern']}"
    match schema.get("format"):
        case "uri" if not (value.startswith("/") or (urlsplit(value).scheme and urlsplit(value).netloc)):
            yield f"{where}: is no URI"  # vendors' own examples have paths here
        case "date-time-rfc-2822":
            try:
                parsedate_to_datetime(value)
            except ValueError:
                yield f"{where}: is no RFC 2822 date"
