"""Reads the settings that language needs: `switchboard.yml` (ours) and, of the documented `config.yml`, what we understand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from . import refusals
from .layout import Layout
from .reading import Reading
from .spec import Compat, Place
from .yamlfile import Node, parse_bytes, relative_name

KNOWN_COMPATS: tuple[Compat, ...] = get_args(Compat)
_CODE = "bad-setting"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project says about itself. `plain` is the whole of `switchboard.yml`, with `name` filled in."""

    language: str = "en"
    additional_languages: tuple[str, ...] = ()
    compat: Compat = "3.16"
    plain: Mapping[str, Any] = field(default_factory=dict)


def read_settings(reading: Reading, where: Layout, compat: Compat | None = None) -> Settings:
    """Our own file wins over the documented one, the argument `compat` over both."""
    config = _read(reading, where.config, where.root)
    ours = _read(reading, where.settings, where.root)
    if config is not None:
        _check_pipeline(reading, config)
    language = _languages(reading, config, ours, "language")
    others = _languages(reading, config, ours, "additional_languages")
    name = (config.data.get("assistant_id") if config else None) or where.root.resolve().name
    return Settings(
        language=language[0] if language else "en",
        additional_languages=tuple(other for other in others if other not in language[:1]),
        compat=_compat(reading, ours.get("compat") if ours else None, compat),
        plain={"name": str(name), **(ours.data if ours else {})},
    )


def _read(reading: Reading, path: Path | None, root: Path) -> Node | None:
    if path is None:
        return None
    file = relative_name(path, root)
    try:
        node, problems = parse_bytes(path.read_bytes(), file)
    except OSError as error:
        reading.report(Place(file), "unreadable-file", f"the file cannot be read: {error.strerror}")
        return None
    reading.problems.extend(problems)
    if node is not None and node.entries is None:
        reading.report(node, _CODE, f"the file holds {node.kind}, not a mapping", "write settings as `name: value`")
        return None
    return node


def _languages(reading: Reading, config: Node | None, ours: Node | None, key: str) -> tuple[str, ...]:
    for file in (ours, config):
        if file is not None and file.has(key):
            return tuple(language.strip() for language in reading.texts(file.get(key), f"`{key}`", _CODE))
    return ()


def _compat(reading: Reading, node: Node | None, wanted: Compat | None) -> Compat:
    written = reading.text(node, "`compat`", _CODE).strip()
    found: Compat = "3.16"
    for known in KNOWN_COMPATS:
        if known == written:
            found = known
            break
    else:
        if written and node is not None:
            hint = f"write one of {', '.join(KNOWN_COMPATS)}: the newest that is not newer than your version"
            reading.report(node, _CODE, f"`compat: {written}` is not known; {found} is taken", hint)
    return wanted or found


def _check_pipeline(reading: Reading, config: Node) -> None:
    """Says once which components we do not run. Generators of commands and policies need no word: understanding is ours."""
    pipeline = config.get("pipeline")
    if pipeline is None or pipeline.items is None:
        return
    names = [(item, str((item.data or {}).get("name", "")) if isinstance(item.data, dict) else item.text) for item in pipeline.items]
    refused: dict[refusals.Refusal, list[tuple[Node, str]]] = {}
    for node, name in names:
        if name.endswith(("IntentBasedRouter", "LLMBasedRouter")):
            refused.setdefault(refusals.COEXISTENCE, []).append((node, name))
        elif "." in name:
            refused.setdefault(refusals.CUSTOM_COMPONENT, []).append((node, name))
        elif name and not name.endswith("CommandGenerator"):
            refused.setdefault(refusals.NLU_PIPELINE, []).append((node, name))
    for refusal, found in refused.items():
        reading.refuse(found[0][0], refusal, ", ".join(name for _, name in found))
