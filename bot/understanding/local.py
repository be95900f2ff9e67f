"""The local understander: no model server, no key, milliseconds. A cascade in which the first stage that is sure decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.dialogue.commands import (
    CancelFlow,
    CannotHandle,
    ChitChat,
    Clarify,
    Command,
    HumanHandoff,
    RepeatLastBotMessages,
    SetSlot,
    SkipQuestion,
    StartFlow,
)
from bot.dialogue.state import State
from bot.dialogue.understander import Candidate, Entity, Message, Understanding
from bot.language import Project, Slot

from . import choices
from .answers import Answer, Asked, awaited, offered_value, read, takes_sentences
from .classifier import Classifier, Guess
from .closed_lists import SMALL_TALK, meanings, opening, without_fillers
from .compound import halves
from .contexts import Context, contexts
from .corrections import corrected_words, correction, restated
from .entities import Where, find_all
from .filling import asked_slots, fill
from .gazetteer import Gazetteer
from .language import detect_language
from .lessons import lessons, startable
from .payloads import read_payload, unusable
from .person import asks_for_person
from .text import bare, is_question, is_request, words
from .turn import Bands, Turn
from .vocabulary import vocabulary

_MOST_CANDIDATES = 5
_EMPTY = Gazetteer()


Decision = tuple[tuple[Command, ...], str]
"""Commands, and the name of the stage that decided."""


class LocalUnderstander:
    """Implements the `Understander` port from a project's own examples and closed lists. Made by `train`; immutable; thread-safe."""

    def __init__(
        self,
        classify: Classifier,
        known: Mapping[str, Gazetteer],
        contexts: Mapping[str, tuple[Context, ...]],
        now: Callable[[], datetime],
        bands: Bands,
    ) -> None:
        self._classify = classify
        self._contexts = contexts
        self._known = known
        self._now = now
        self._bands = bands

    @classmethod
    def train(cls, project: Project, *, now: Callable[[], datetime], bands: Bands | None = None) -> LocalUnderstander:
        """Learns a project: well under a second for thirty flows in two languages. `now` is the customer's clock, for "tomorrow"."""
        learned = {flow.id: contexts(flow) for flow in startable(project).values()}
        return cls(Classifier(lessons(project)), vocabulary(project), learned, now, bands or Bands())

    async def __call__(self, message: Message, state: State, project: Project) -> Understanding:
        return self.understand(message, state, project)

    def understand(self, message: Message, state: State, project: Project) -> Understanding:
        """As calling it, without awaiting: nothing here waits. Never raises for any text."""
        if (error := unusable(message.text)) is not None:
            return Understanding((error,), engine="input")
        where = Where((message.now or self._now()).date(), _region(message, project))
        memory: dict[str, tuple[Guess, ...]] = {}
        allowed = startable(project)

        def guesses(text: str) -> tuple[Guess, ...]:
            if text not in memory:
                memory[text] = tuple(guess for guess in self._classify(text) if guess.flow in allowed)
            return memory[text]

        turn = Turn(message.text, state, project, where, awaited(state, project), guesses)
        if (commands := read_payload(message.text, state, project)) is not None:
            return Understanding(commands, engine="payload")
        commands, engine = self._decide(turn)
        found = tuple(Entity(kind, one.value, one.start, one.end) for kind, one in find_all(message.text, where))
        candidates = tuple(Candidate(guess.flow, round(guess.probability, 4)) for guess in memory.get(message.text, ())[:_MOST_CANDIDATES])
        return Understanding(commands, candidates, found, engine)

    def _decide(self, turn: Turn) -> Decision:
        if turn.state.owner != "bot":  # a person is awaited: all that counts is whether the customer wants the bot back
            return ((CancelFlow(),) if "cancel" in meanings(turn.text) else (CannotHandle(),)), "waiting"
        if asks_for_person(turn.text):
            return self._person_button(turn) or ((HumanHandoff(),), "person")
        for stage in (self._button, self._offered_flow, self._closed, self._answer, self._correct, self._start):
            if (decision := stage(turn)) is not None:
                return decision
        return (CannotHandle(),), "none"

    # -- what was just offered

    def _person_button(self, turn: Turn) -> Decision | None:
        """The button that offers a person, where the flow shows one: it knows better which person."""
        shown = [offer for offer in choices.offers(turn.state.said) if asks_for_person(offer.title)]
        commands = read_payload(shown[0].payload, turn.state, turn.project) if len(shown) == 1 else None
        return (commands, "button") if commands is not None and commands != (CannotHandle(),) else None

    def _button(self, turn: Turn) -> Decision | None:
        shown = choices.offers(turn.state.said)
        if not shown or (turn.slot is not None and any(offered_value(offer, turn.slot) is not None for offer in shown)):
            return None  # buttons that answer the question are read with the question
        amounts = turn.slot is not None and (turn.slot.type == "float" or turn.slot.entity != "")
        offer = choices.pick(turn.text, shown, plain_numbers=not amounts)
        if offer is None:
            return None
        commands = read_payload(offer.payload, turn.state, turn.project)
        if commands is None:
            top = turn.guesses(offer.payload)[:1]
            if not top or top[0].probability < self._bands.accept:
                return None
            commands = (StartFlow(top[0].flow),)
        return commands, "button"

    def _offered_flow(self, turn: Turn) -> Decision | None:
        flows = [turn.project.flows[name] for name in turn.state.offered if name in turn.project.flows]
        if not flows:
            return None
        names = [[flow.readable_name, flow.id.replace("_", " "), *flow.names.values()] for flow in flows]
        said = meanings(turn.text)
        if "both" in said:
            return tuple(StartFlow(flow.id) for flow in flows), "offer"
        if "neither" in said or (choices.polarity(said) is False and len(flows) > 1):
            return (CannotHandle(),), "offer"
        if (unwanted := choices.excluded(turn.text, names)) is not None and len(flows) == 2:
            return (StartFlow(flows[1 - unwanted].id),), "offer"
        index = choices.ordinal(turn.text, len(flows))
        if index is None:
            index = choices.named(turn.text, names)
        if index is None and len(flows) == 1 and choices.polarity(said) is True:
            index = 0
        if index is None:
            index = self._likeliest(turn, [flow.id for flow in flows])
        return ((StartFlow(flows[index].id), *self._filled(turn, turn.text, flows[index].id)), "offer") if index is not None else None

    def _likeliest(self, turn: Turn, offered: Sequence[str]) -> int | None:
        """The offered flow a message leans to, when the lean is clear and no other flow is meant more."""
        guesses = turn.guesses(turn.text)
        best = next((guess for guess in guesses if guess.flow in offered), None)
        if best is None or (guesses[0].flow not in offered and guesses[0].probability >= self._bands.accept):
            return None
        second = next((guess.probability for guess in guesses if guess.flow in offered and guess.flow != best.flow), 0.0)
        return offered.index(best.flow) if best.probability >= self._bands.clarify / 2 and best.probability >= 2 * second else None

    # -- closed lists

    def _closed(self, turn: Turn) -> Decision | None:
        said = meanings(turn.text)
        asked_bool = turn.slot is not None and turn.slot.type == "bool"
        if not said or (said & {"worked", "failed"} and not asked_bool):
            return None
        guesses = turn.guesses(turn.text)
        if guesses and guesses[0].probability == 1.0 and turn.slot is None:
            return None  # word for word an example of a flow
        if asked_bool and turn.slot is not None:
            answer = choices.polarity(said)
            if turn.in_pattern and said & {"thanks", "bye"} and "yes" not in said:
                answer = False  # "ok, thanks" after "anything else?" ends the talk
            if answer and turn.text.rstrip().endswith("?"):
                return None  # "ok?", "yes?" ask rather than agree
            if answer is not None and not said & {"cancel", "repeat", "skip"}:
                return (SetSlot(turn.slot.name, answer),), "answer"
        for meaning, command in _CLOSED:
            if meaning in said:
                return (command,), "closed"
        if turn.slot is not None:
            if "unsure" in said and not takes_sentences(turn.slot):
                return (SkipQuestion(),), "closed"
            if "enough" in said and not self._reads(turn, turn.slot):
                return (CancelFlow(),), "closed"
            return ((ChitChat(),), "closed") if said <= SMALL_TALK else None
        return (ChitChat(),), "closed"

    def _reads(self, turn: Turn, slot: Slot) -> bool:
        answer = read(turn.text, self._asked(turn, slot))
        return answer is not None and slot.type == "categorical"

    # -- the question that was asked, and what is known already

    def _asked(self, turn: Turn, slot: Slot) -> Asked:
        shown = tuple(offer for offer in choices.offers(turn.state.said) if offered_value(offer, slot) is not None)
        if turn.slot is None or slot.name != turn.slot.name:
            shown = ()
        return Asked(slot, self._known.get(slot.name, _EMPTY), shown, turn.where)

    def _answer(self, turn: Turn) -> Decision | None:
        if turn.slot is None:
            return None
        answer = read(turn.text, self._asked(turn, turn.slot))
        if answer is not None and answer.sure and not self._is_correction(turn):
            top = self._switch(turn, turn.text)
            if not self._outweighs(turn, top, answer):
                return self._with_more(turn, answer), "answer"
        return None

    def _is_correction(self, turn: Turn) -> bool:
        """Whether a message that could be an answer rather corrects a slot that is filled: it must say so and fit that slot."""
        return corrected_words(turn.text) is not None and self._correct(turn) is not None

    def _outweighs(self, turn: Turn, top: Guess | None, answer: Answer) -> bool:
        """Whether a free-text answer is rather a request: nearly certain, and worded as one."""
        slot = turn.slot
        if top is None or slot is None or slot.type not in ("text", "any") or takes_sentences(slot) or not isinstance(answer.value, str):
            return False
        if answer.value in {entry[1] for entry in self._known.get(slot.name, _EMPTY).entries} or any(
            kind == slot.entity for kind, _ in find_all(turn.text, turn.where)
        ):
            return False
        return top.probability >= self._bands.accept_over_answer and len(words(turn.text)) >= 2

    def _with_more(self, turn: Turn, answer: Answer) -> tuple[Command, ...]:
        """The answer, and what else of the active flow the message tells."""
        assert turn.slot is not None
        first = SetSlot(turn.slot.name, answer.value)
        if turn.in_pattern or not turn.active or turn.slot.type == "bool" or not answer.rest.strip():
            return (first,)
        empty = [slot.name for slot in asked_slots(turn.active, turn.project) if turn.value(slot.name) is None]
        known = {slot.name for slot in turn.project.slots.values()} - set(empty)
        more = fill(answer.rest, turn.active, turn.project, lambda slot: self._asked(turn, slot), without=known | {turn.slot.name})
        return (first, *more)

    def _correct(self, turn: Turn) -> Decision | None:
        filled = self._filled_slots(turn)
        if not filled:
            return None
        change = correction(turn.text, filled, turn.value, lambda slot: self._asked(turn, slot))
        if change is None and turn.slot is not None and not is_question(turn.text):
            change = restated(turn.text, filled, turn.value, lambda slot: self._asked(turn, slot))
        return ((change,), "correction") if change is not None else None

    def _filled_slots(self, turn: Turn) -> list[Slot]:
        """The filled slots of the active flow a message may correct, the last answered first."""
        names: list[str] = []
        for frame in reversed(turn.state.stack):
            if frame.flow == turn.active:
                names += [name for name, _ in reversed(frame.filled)]
                break
        if turn.active:
            names += [slot.name for slot in asked_slots(turn.active, turn.project)]
        slots = (turn.project.slots.get(name) for name in dict.fromkeys(names))
        return [
            slot for slot in slots
            if slot is not None and not slot.controlled and turn.value(slot.name) is not None and (turn.slot is None or slot.name != turn.slot.name)
        ]  # fmt: skip

    # -- flows

    def _switch(self, turn: Turn, text: str) -> Guess | None:
        """The flow a text would start: the best guess, unless the customer is in it already."""
        guesses = turn.guesses(text)
        return guesses[0] if guesses and guesses[0].flow not in turn.stacked else None

    def _start(self, turn: Turn) -> Decision | None:
        if (both := self._two_requests(turn)) is not None:
            return both, "examples"
        answer = read(turn.text, self._asked(turn, turn.slot)) if turn.slot is not None else None
        answered = answer is not None and turn.slot is not None and turn.slot.type == "bool"
        text = answer.rest if answer is not None and answered and answer.rest else turn.text  # "no, show me my bill"
        guesses = turn.guesses(text)
        top = self._switch(turn, text)
        second = next((guess.probability for guess in guesses if top is not None and guess.flow != top.flow), 0.0)
        if top is not None and top.probability >= self._bar(turn, answer) and top.probability - second >= self._bands.margin:
            starts: tuple[Command, ...] = (StartFlow(top.flow), *self._filled(turn, turn.text, top.flow))
            if answer is not None and answered and turn.slot is not None and not turn.in_pattern:
                starts = (SetSlot(turn.slot.name, answer.value), *starts)
            return starts, "examples"
        if answer is not None and turn.slot is not None and self._plausible(turn, answer, top):
            return self._with_more(turn, answer), "answer"
        if turn.active and (more := self._about_active(turn)):
            return more, "entities"
        if turn.active and turn.active == (guesses[0].flow if guesses else "") and _gives_up(turn.text):
            return (CancelFlow(),), "closed"
        return self._unclear(turn, guesses)

    def _bar(self, turn: Turn, answer: Answer | None) -> float:
        if turn.slot is None or turn.in_pattern:
            return self._bands.accept
        if answer is None:
            return self._bands.accept_while_asked if not is_question(turn.text) else self._bands.accept
        if turn.slot.type == "bool" and not (is_question(turn.text) or is_request(turn.text)):
            return self._bands.accept_over_answer
        if is_question(turn.text) or is_request(turn.text):
            return self._bands.accept_while_asked
        return 1.1 if takes_sentences(turn.slot) else self._bands.accept_over_answer

    def _plausible(self, turn: Turn, answer: Answer, top: Guess | None) -> bool:
        """Whether an unsure answer is good enough: not a question, and free text only when no other flow is in sight."""
        assert turn.slot is not None
        if turn.slot.type in ("text", "any") and isinstance(answer.value, str) and answer.value.strip() == turn.text.strip():
            elsewhere = top is not None and top.probability >= self._bands.clarify
            return not is_question(turn.text) and (takes_sentences(turn.slot) or not (elsewhere or is_request(turn.text)))
        return turn.slot.type == "bool" or not is_question(turn.text) or bool(answer.rest)

    def _about_active(self, turn: Turn) -> tuple[Command, ...]:
        empty = {slot.name for slot in asked_slots(turn.active, turn.project) if turn.value(slot.name) is None}
        known = set(turn.project.slots) - empty
        return fill(turn.text, turn.active, turn.project, lambda slot: self._asked(turn, slot), without=known) if empty else ()

    def _unclear(self, turn: Turn, guesses: tuple[Guess, ...]) -> Decision | None:
        polite = opening(turn.text).meanings & {"thanks", "bye", "greet"} and not (is_question(turn.text) or is_request(turn.text))
        if polite and not turn.asking:
            return (ChitChat(),), "closed"
        open_guesses = [guess for guess in guesses if guess.flow not in turn.stacked]
        asking = turn.asking
        if open_guesses and open_guesses[0] is guesses[0]:
            first = open_guesses[0]
            if first.probability >= (self._bands.accept if asking else self._bands.clarify):
                return (Clarify(tuple(guess.flow for guess in open_guesses[:2])),), "examples"
        if not asking and (said := meanings(without_fillers(turn.text))) and said <= SMALL_TALK:
            return (ChitChat(),), "closed"
        return None

    def _two_requests(self, turn: Turn) -> tuple[Command, ...] | None:
        for left, right in halves(turn.text):
            first, second = self._switch(turn, left), self._switch(turn, right)
            if first is None or second is None or first.flow == second.flow:
                continue
            if min(first.probability, second.probability) >= self._bands.accept_each_half:
                fills = {
                    **{one.name: one for one in self._filled(turn, right, second.flow)},
                    **{one.name: one for one in self._filled(turn, left, first.flow)},
                }
                return (StartFlow(first.flow), StartFlow(second.flow), *fills.values())
        return None

    def _filled(self, turn: Turn, text: str, flow_id: str) -> tuple[SetSlot, ...]:
        return fill(text, flow_id, turn.project, lambda slot: replace(self._asked(turn, slot), contexts=self._contexts.get(flow_id, ())))


_CLOSED: tuple[tuple[str, Command], ...] = (("cancel", CancelFlow()), ("skip", SkipQuestion()), ("repeat", RepeatLastBotMessages()))
_GIVING_UP = ("cancel", "stop", "forget", "never mind", "don't want", "취소", "그만", "안 할", "안할", "중단")


def _gives_up(text: str) -> bool:
    plain = bare(text)
    return any(word in plain for word in _GIVING_UP)


def _region(message: Message, project: Project) -> str:
    """Where phone numbers without a country code are from: told with the message, or in the settings, or guessed from the language."""
    if isinstance(told := message.metadata.get("region"), str) and told:
        return told
    section = project.settings.get("understanding")
    if isinstance(section, Mapping) and isinstance(section.get("region"), str):
        return str(section["region"])
    return "KR" if (detect_language(message.text) or message.language) == "ko" else "US"
