"""Where telemetry goes: every event becomes a count, a duration if it has one, and a line of the log.

`SIGNALS` says of each event how loud it is and which of its fields tell counts apart. Those are words of our own and codes of
providers; whatever else they turn out to hold is counted as "other", and each field has a limit of different values, so that no
customer and no provider can make the metrics grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector

from .gauges import Backlog, Gauges
from .logs import Log
from .masking import mask
from .telemetry import EVENTS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of what `Observer.metrics` gives: the text format of Prometheus."""

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Signal:
    """`labels` are the fields counts are kept apart by, `timed_by` those of durations; `buckets` bound durations, in seconds."""

    level: str
    labels: tuple[str, ...] = ()
    timed_by: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


SIGNALS: Mapping[str, Signal] = MappingProxyType(
    {
        "webhook": Signal("info", ("channel", "status", "problem"), ("channel",), _FAST),
        "received": Signal("info", ("channel", "kind", "new")),
        "turn": Signal("info", (), (), _SLOW),
        "turn_conflict": Signal("info", ("reason",)),
        "turn_failed": Signal("error", ("cause",)),
        "dead_letter": Signal("error", ("cause",)),
        "database_down": Signal("error", ("cause",)),
        "send": Signal("info", ("channel", "outcome", "reason", "code"), ("channel", "outcome"), _SLOW),
        "alert": Signal("error", ("channel", "reason", "code")),
        "reconciled": Signal("info", ("channel", "outcome")),
        "receipt": Signal("info", ("channel", "status", "code")),
        "consent": Signal("info", ("channel", "kind")),
        "attachment": Signal("info", ("channel", "outcome", "code")),
        "timer": Signal("debug"),
        "swept": Signal("warning"),
        "lost": Signal("warning"),
        "recovered": Signal("debug", ("channel",)),
        "retention": Signal("info", ("table",)),
        "leader": Signal("info", ("task", "state")),
        "broadcast": Signal("info", ("state",)),
        "job_failed": Signal("error", ("job", "cause")),
        "started": Signal("info", ("role",)),
        "stopping": Signal("info", ("role", "signal")),
        "stopped": Signal("info", ("role",)),
    }
)

_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/ -]{0,47}")
_MOST_VALUES = 100
OTHER = "other"


def trace(conversation: str) -> AbstractContextManager[object]:
    """All lines of the log within carry `conversation`, those of libraries and of tasks begun here, too."""
    return structlog.contextvars.bound_contextvars(conversation=conversation)


class Observer:
    """`Telemetry` for a process, with metrics of its own (no registry is shared). Without `gauges` it tells nothing of the database."""

    def __init__(self, log: Log, gauges: Gauges | None = None) -> None:
        self.log = log
        self._gauges = gauges
        self._registry = CollectorRegistry()
        self._values: dict[tuple[str, str], set[str]] = {}
        self._counters = {
            event: Counter(f"switchboard_{event}", EVENTS[event].partition(":")[0], signal.labels, registry=self._registry)
            for event, signal in SIGNALS.items()
        }
        self._durations = {
            event: Histogram(
                f"switchboard_{event}_seconds",
                f"Seconds: {EVENTS[event].partition(':')[0]}",
                signal.timed_by,
                buckets=signal.buckets,
                registry=self._registry,
            )
            for event, signal in SIGNALS.items()
            if signal.buckets
        }
        ProcessCollector(registry=self._registry)

    def __call__(self, event: str, *, seconds: float | None = None, count: int = 1, **fields: str | int) -> None:
        """Raises KeyError for an event that is not in the vocabulary: a mistake in the program, which every test of it shows."""
        signal = SIGNALS[event]
        counter, timer = self._counters[event], self._durations.get(event)
        labels = {name: self._value(event, name, fields.get(name, "")) for name in signal.labels}
        (counter.labels(**labels) if labels else counter).inc(max(0, count))
        if timer is not None and seconds is not None:
            named = {name: labels[name] for name in signal.timed_by}
            (timer.labels(**named) if named else timer).observe(seconds)
        told: dict[str, str | int | float] = {name: value for name, value in fields.items() if value != ""}
        if seconds is not None:
            told["seconds"] = round(seconds, 4)
        if count != 1:
            told["count"] = count
        self.log.write(_level(signal, fields), event, None, **told)

    def _value(self, event: str, name: str, given: str | int) -> str:
        value = str(given)
        known = self._values.setdefault((event, name), {"", OTHER})
        if value in known:
            return value
        if len(known) >= _MOST_VALUES or not _SHAPE.fullmatch(value) or mask(value) != value:
            return OTHER
        known.add(value)
        return value

    async def metrics(self) -> bytes:
        """All metrics as Prometheus reads them. Answers when the database does not."""
        found: list[Metric] = list(self._registry.collect())
        if self._gauges is not None:
            found += _backlog(await self._gauges.read())
        return generate_latest(_Snapshot(found))


class _Snapshot(CollectorRegistry):
    """Metrics as they were found, without the moments they were created at, which double the lines and tell nothing."""

    def __init__(self, found: list[Metric]) -> None:
        super().__init__()
        self._found = found

    def collect(self) -> Iterator[Metric]:
        for metric in self._found:
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def _level(signal: Signal, fields: Mapping[str, str | int]) -> str:
    status = fields.get("status")
    return "warning" if isinstance(status, int) and status >= 500 and signal.level == "info" else signal.level


def _backlog(backlog: Backlog | None) -> Iterator[Metric]:
    def gauge(name: str, help: str, values: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(f"switchboard_{name}", help, labels=["status"] if "" not in values else [])
        for label, value in values.items():
            family.add_metric([label] if label else [], value)
        return family

    yield gauge("database_up", "Whether the database answered when this was read.", {"": 0.0 if backlog is None else 1.0})
    if backlog is None:
        return
    yield gauge("inbox_open", "Inbox rows no turn has taken in yet.", {"": backlog.inbox})
    yield gauge("inbox_oldest_seconds", "Age of the oldest of them.", {"": backlog.inbox_age})
    yield gauge("dead_letters", "Inbox rows that were given up.", {"": backlog.dead})
    yield gauge("outbox", "Outbox rows that are not finished.", backlog.outbox)
    yield gauge("outbox_overdue_seconds", "How long the one that is due longest has been due.", backlog.overdue)
    yield gauge("timers", "Timers that run.", {"": backlog.timers})
