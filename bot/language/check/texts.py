"""Texts: translations that lack, languages nobody speaks, messages too long to send as text messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..conditions import Compare, Ref, SetOf, Value, walk
from ..spec import Problem, Variation
from .view import View, did_you_mean
from .wording import odd_character, says_words, segments

_FORMAT_WIDTHS = {"money": 9, "date": 12, "number": 6, "data": 7}
_TYPE_WIDTHS = {"bool": 5, "float": 6}
_USUAL_WIDTH = 12


def translations(view: View) -> Iterator[Problem]:
    wanted = view.project.additional_languages
    if not wanted:
        return
    for response in view.responses:
        spoken = frozenset(language for variation in response.variations for language in _languages_of(variation))
        for variation in response.variations:
            if _names_language(variation):
                continue
            if says_words(variation.text):
                lacking = [language for language in wanted if not variation.texts.get(language, "").strip() and language not in spoken]
                if lacking:
                    message = f"`{response.name}` lacks a translation ({', '.join(lacking)}): {_snippet(variation.text)!r}"
                    yield Problem(variation.place, "warning", "missing-translation", message, _translation_hint(lacking, "text"))
            for button in variation.buttons:
                lacking = [language for language in wanted if not button.titles.get(language, "").strip() and language not in spoken]
                if lacking and says_words(button.title) and not _names_a_language(button.title, view.project.languages):
                    message = f"button `{button.title}` of `{response.name}` lacks a translation ({', '.join(lacking)})"
                    yield Problem(variation.place, "warning", "missing-translation", message, _translation_hint(lacking, "title"))
    for flow in view.user_flows:
        lacking = [language for language in wanted if not flow.names.get(language, "").strip()]
        if lacking and flow.name:
            message = f"the name of flow `{flow.id}` lacks a translation ({', '.join(lacking)}): {flow.name!r}"
            yield Problem(flow.place, "warning", "missing-translation", message, _translation_hint(lacking, "name"))
        without = [language for language in view.project.languages if not flow.examples.get(language)]
        if without and any(flow.examples.values()) and flow.guard is not False:
            message = f"flow `{flow.id}` has no examples in {', '.join(without)}"
            yield Problem(flow.place, "warning", "missing-translation", message, "the local model cannot start it in that language")


def languages(view: View) -> Iterator[Problem]:
    known = view.project.languages
    for flow in view.user_flows:
        for language in dict.fromkeys((*flow.names, *flow.examples)):
            if language and language not in known:
                message = f"flow `{flow.id}` speaks `{language}`"
                yield Problem(flow.place, "warning", "unknown-language", message, _language_hint(language, known))
    for response, variation in view.variations():
        spoken = (*variation.texts, *(language for button in variation.buttons for language in button.titles))
        for language in dict.fromkeys(spoken):
            if language not in known:
                message = f"`{response.name}` is translated to `{language}`"
                yield Problem(variation.place, "warning", "unknown-language", message, _language_hint(language, known))


def lengths(view: View) -> Iterator[Problem]:
    def width(name: str, format: str) -> int:
        slot = view.slots.get(name.split(".")[0])
        if format in _FORMAT_WIDTHS or slot is None:
            return _FORMAT_WIDTHS.get(format, _USUAL_WIDTH)
        if slot.type == "categorical" and slot.values:
            return max(len(value) for value in slot.values)
        return _TYPE_WIDTHS.get(slot.type, _USUAL_WIDTH)

    for response in view.responses:
        own_sms = any(variation.channel == "sms" and variation.condition is None for variation in response.variations)
        for variation in response.variations:
            if variation.channel not in ("", "sms") or (own_sms and not variation.channel):
                continue
            for language, text in {view.project.language: variation.text, **variation.texts}.items():
                count = segments(text, width, variation.template == "jinja") if text else 0
                if count > view.max_segments:
                    message = f"`{response.name}` ({language}) is about {count} text messages long; {view.max_segments} are wanted at most"
                    yield Problem(variation.place, "warning", "response-too-long", message, _shorter_hint(text, bool(variation.template)))


def _shorter_hint(text: str, template: bool) -> str:
    """One character outside the GSM alphabet halves what fits; that is the usual surprise."""
    odd = "" if template else odd_character(text)
    if odd:
        return f"{odd!r} is not in the GSM alphabet, so a message holds 70 characters instead of 160"
    return "shorten it, split it, or add a variation with `channel: sms`"


def _languages_of(variation: Variation) -> Iterable[str]:
    """Languages a variation is written for by its own condition (`slots.language = "ko"`)."""
    expression = variation.condition.expression if variation.condition else None
    for node in walk(expression) if expression else ():
        if isinstance(node, Compare) and node.op == "=" and _LANGUAGE in ((side.namespace, side.path) for side in _refs(node)):
            yield from (str(side.value) for side in (node.left, node.right) if isinstance(side, Value))
        elif isinstance(node, SetOf):
            yield from (str(member.value) for member in node.members if isinstance(member, Value))


_LANGUAGE = ("slots", "language")


def _refs(node: Compare) -> tuple[Ref, ...]:
    return tuple(side for side in (node.left, node.right) if isinstance(side, Ref))


def _names_a_language(title: str, languages: Iterable[str]) -> bool:
    """Whether a title is a language's name for itself; it stays the same in every language."""
    from babel import Locale, UnknownLocaleError

    for language in languages:
        try:
            own = Locale.parse(language, sep="-").get_language_name(language)
        except (UnknownLocaleError, ValueError):
            continue
        if own and title.strip().casefold() == own.casefold():
            return True
    return False


def _names_language(variation: Variation) -> bool:
    return variation.condition is not None and any((ref.namespace, ref.path) == _LANGUAGE for ref in variation.condition.refs())


def _translation_hint(lacking: list[str], key: str) -> str:
    return f"add `translation: {{{lacking[0]}: {'{' + key + ': ...}' if key != 'text' else '...'}}}`"


def _language_hint(language: str, known: tuple[str, ...]) -> str:
    return did_you_mean(language, known, f"the project's languages are {', '.join(known)}; see `additional_languages`")


def _snippet(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 40 else flat[:39] + "…"
