"""Which flow a message means, learned from a project's examples, with honest probabilities. No model is stored: training takes under a second."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .elsewhere import ELSEWHERE
from .features import Vectorizer, prepared
from .lessons import Lesson
from .text import compact

_NOTHING = ""
"""The class of texts that mean no flow."""
_FOLDS = 3
_FEWEST_EXAMPLES = 4
_TEMPERATURES = tuple(0.05 * 1.18**step for step in range(24))
_FLOW_FOLDS = 4
_FEWEST_FLOWS = 6
_NEAR_WEIGHT = 0.3
_SEED = 7
_LEAST_PROBABILITY = 0.001


@dataclass(frozen=True, slots=True)
class Guess:
    """A flow and the probability (0 to 1) that the message means it."""

    flow: str
    probability: float


class Classifier:
    """Called with a text, gives every flow's probability, best first. They sum to less than one: the rest is "none of them"."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self._exact = _exact(lessons)
        self._flows = tuple(dict.fromkeys(lesson.flow for lesson in lessons))
        examples = Counter(lesson.flow for lesson in lessons if lesson.example)
        median = sorted(examples[flow] for flow in self._flows)[len(self._flows) // 2] if self._flows else 0
        self._ranker: _Learned | _Likeness | None = None
        if len(self._flows) > 1 and median >= _FEWEST_EXAMPLES:
            self._ranker = _Learned(lessons, self._flows)
        elif self._flows:
            self._ranker = _Likeness(lessons, self._flows)

    def __call__(self, text: str) -> tuple[Guess, ...]:
        if (flow := self._exact.get(compact(text))) is not None:
            return (Guess(flow, 1.0),)
        plain = prepared(text)
        if self._ranker is None or not plain:
            return ()
        guesses = (Guess(flow, probability) for flow, probability in self._ranker(plain) if probability >= _LEAST_PROBABILITY)
        return tuple(sorted(guesses, key=lambda guess: -guess.probability))


def _exact(lessons: Sequence[Lesson]) -> dict[str, str]:
    """Texts that are word for word an example or a name of exactly one flow."""
    found: dict[str, set[str]] = {}
    for lesson in lessons:
        found.setdefault(compact(lesson.text), set()).add(lesson.flow)
    return {text: next(iter(flows)) for text, flows in found.items() if text and len(flows) == 1}


class _Learned:
    """Linear support vectors over TF-IDF; a temperature and a gate, both fitted on predictions out of fold, make probabilities of margins."""

    def __init__(self, lessons: Sequence[Lesson], flows: tuple[str, ...]) -> None:
        import numpy as np

        self._flows = flows
        texts = [prepared(lesson.text) for lesson in lessons]
        strangers = [prepared(text) for text in ELSEWHERE]
        labels = np.array([lesson.flow for lesson in lessons] + [_NOTHING] * len(strangers))
        weights = np.array([lesson.weight for lesson in lessons] + [0.6] * len(strangers))
        examples = np.array([lesson.example for lesson in lessons] + [True] * len(strangers))
        self._vectorize = Vectorizer(texts + strangers)
        rows = self._vectorize(texts + strangers)
        self._classes, coefficients, self._intercepts = _fit(rows, labels, weights)
        self._by_feature = np.ascontiguousarray(coefficients.T)
        scores, truth = _out_of_fold(rows, labels, weights, examples, self._classes)
        strange, _ = _flows_out(rows, labels, weights, self._classes)
        known = truth != _NOTHING
        order = [list(self._classes).index(flow) for flow in flows]
        self._order = np.array(order)
        self._nothing = list(self._classes).index(_NOTHING)
        self._temperature = _temperature(scores[known][:, order], np.array([flows.index(label) for label in truth[known]]))
        inputs = np.vstack([_gate_inputs(part, self._order, self._nothing) for part in (scores, strange)])
        self._gate = _gate(
            inputs, np.append(known, np.zeros(len(strange), bool)), np.append(np.ones(len(known)), np.full(len(strange), _NEAR_WEIGHT))
        )

    def __call__(self, text: str) -> list[tuple[str, float]]:
        import numpy as np

        columns, values = self._vectorize.row(text)
        scores = (np.array(values) @ self._by_feature[columns] + self._intercepts)[None, :]
        inputs = _gate_inputs(scores, self._order, self._nothing)[0]
        belongs = 1 / (1 + math.exp(-max(-30.0, min(30.0, float(inputs @ self._gate[:-1] + self._gate[-1])))))
        softened = _softmax(scores[:, self._order] / self._temperature)[0]
        return [(flow, float(p) * belongs) for flow, p in zip(self._flows, softened, strict=True)]


def _fit(rows: Any, labels: Any, weights: Any) -> tuple[Any, Any, Any]:
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=1.0, tol=1e-3, max_iter=2000, random_state=_SEED).fit(rows, labels, sample_weight=weights)
    if len(model.classes_) == 2:  # one row of weights serves both classes, with opposite signs
        import numpy as np

        return model.classes_, np.vstack([-model.coef_, model.coef_]), np.array([-model.intercept_[0], model.intercept_[0]])
    return model.classes_, model.coef_, model.intercept_


def _out_of_fold(rows: Any, labels: Any, weights: Any, examples: Any, classes: Any) -> tuple[Any, Any]:
    """Scores of every example by a model that has not seen it. Names and descriptions are always seen, never scored."""
    import numpy as np

    generator = np.random.default_rng(_SEED)
    fold = np.full(len(labels), -1)
    for label in classes:
        members = np.flatnonzero((labels == label) & examples)
        fold[generator.permutation(members)] = np.arange(len(members)) % _FOLDS
    scores = np.full((len(labels), len(classes)), -1.0)
    for index in range(_FOLDS):
        held = fold == index
        if not held.any() or len(set(labels[~held])) < 3:
            continue
        seen, coefficients, intercepts = _fit(rows[~held], labels[~held], weights[~held])
        columns = [list(classes).index(label) for label in seen]
        block = np.full((int(held.sum()), len(classes)), -1.0)
        block[:, columns] = np.asarray(rows[held] @ coefficients.T) + intercepts
        scores[held] = block
    scored = fold >= 0
    return scores[scored], labels[scored]


def _flows_out(rows: Any, labels: Any, weights: Any, classes: Any) -> tuple[Any, Any]:
    """Scores of every flow's texts by a model that does not know the flow: what a request nearby but beyond the project looks like."""
    import numpy as np

    flows = np.random.default_rng(_SEED).permutation(classes[classes != _NOTHING])
    if len(flows) < _FEWEST_FLOWS:
        return np.empty((0, len(classes))), labels[:0]
    scores = np.full((len(labels), len(classes)), -1.0)
    for index in range(_FLOW_FOLDS):
        held = np.isin(labels, flows[index::_FLOW_FOLDS])
        seen, coefficients, intercepts = _fit(rows[~held], labels[~held], weights[~held])
        columns = [list(classes).index(label) for label in seen]
        block = np.full((int(held.sum()), len(classes)), -1.0)
        block[:, columns] = np.asarray(rows[held] @ coefficients.T) + intercepts
        scores[held] = block
    scored = labels != _NOTHING
    return scores[scored], labels[scored]


def _gate_inputs(scores: Any, order: Any, nothing: int) -> Any:
    import numpy as np

    known = np.sort(scores[:, order], axis=1)
    return np.column_stack([known[:, -1], scores[:, nothing]])


def _gate(inputs: Any, known: Any, weights: Any) -> Any:
    """Weights of a logistic decision "is this about any flow at all"; the last one is the intercept."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(class_weight="balanced").fit(inputs, known, sample_weight=weights)
    return np.append(model.coef_[0], model.intercept_[0])


def _softmax(scores: Any) -> Any:
    import numpy as np

    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _temperature(scores: Any, truth: Any) -> float:
    """The temperature under which the right answers were most likely."""
    import numpy as np

    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        return float(-np.log(_softmax(scores / temperature)[rows, truth] + 1e-9).mean())

    return min(_TEMPERATURES, key=loss)


class _Likeness:
    """For projects with next to no examples: likeness to the nearest name, description or example."""

    _SHARPNESS = 0.07
    _ENOUGH = 0.30
    _SLOPE = 0.05

    def __init__(self, lessons: Sequence[Lesson], flows: tuple[str, ...]) -> None:
        self._flows = flows
        self._owners = [flows.index(lesson.flow) for lesson in lessons]
        texts = [_without_glue(prepared(lesson.text)) for lesson in lessons]
        self._vectorize = Vectorizer(texts)
        self._rows = _unit(self._vectorize(texts))

    def __call__(self, text: str) -> list[tuple[str, float]]:
        import numpy as np

        row = _unit(self._vectorize([_without_glue(text)]))
        likeness = np.asarray((self._rows @ row.T).todense()).ravel()
        scores = np.zeros(len(self._flows))
        np.maximum.at(scores, self._owners, likeness)
        belongs = 1 / (1 + math.exp((self._ENOUGH - float(scores.max())) / self._SLOPE))
        shares = _softmax(scores[None, :] / self._SHARPNESS)[0]
        return [(flow, float(share) * belongs) for flow, share in zip(self._flows, shares, strict=True)]


_GLUE = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "me",
        "i",
        "i'd",
        "i'm",
        "to",
        "of",
        "for",
        "in",
        "on",
        "at",
        "is",
        "are",
        "was",
        "be",
        "it",
        "this",
        "that",
        "please",
        "can",
        "could",
        "would",
        "will",
        "you",
        "your",
        "want",
        "need",
        "like",
        "do",
        "does",
        "how",
        "what",
        "user",
        "customer",
        "users",
        "flow",
        "lets",
        "let",
        "their",
        "them",
        "with",
        "from",
        "and",
        "or",
        "some",
        "about",
        "asks",
        "ask",
        "help",
        "get",
        "any",
        "one's",
        "if",
        "when",
    ]
)


def _without_glue(text: str) -> str:
    kept = [word for word in text.split() if word not in _GLUE]
    return " ".join(word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in kept) or text


def _unit(rows: Any) -> Any:
    from sklearn.preprocessing import normalize

    return normalize(rows)
