"""Writes a run as JUnit XML, the form continuous integration servers read.

Elements as in https://github.com/testmoapp/junitxml: a `testsuite` a file, a `testcase` a case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from .report import transcript
from .results import Outcome, Report

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def write_junit(report: Report, path: Path) -> None:
    """Writes the file, and folders on the way to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ElementTree.tostring(junit(report), encoding="utf-8", xml_declaration=True))


def junit(report: Report) -> ElementTree.Element:
    """The `testsuites` element of a run. A file that could not be read is a suite with one error."""
    root = ElementTree.Element("testsuites", name="switchboard test")
    _count(root, report.outcomes, errors=len(report.problems), seconds=report.seconds)
    for file in dict.fromkeys(outcome.place.file for outcome in report.outcomes):
        outcomes = [outcome for outcome in report.outcomes if outcome.place.file == file]
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(file))
        _count(suite, outcomes, seconds=sum(outcome.seconds for outcome in outcomes))
        for outcome in outcomes:
            _case(suite, outcome)
    for problem in report.problems:
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(problem.place.file))
        _count(suite, (), errors=1)
        case = ElementTree.SubElement(suite, "testcase", classname=_clean(problem.place.file), name="(file)", time="0")
        ElementTree.SubElement(case, "error", type=problem.code, message=_clean(str(problem)))
    return root


def _count(element: ElementTree.Element, outcomes: Sequence[Outcome], *, errors: int = 0, seconds: float = 0.0) -> None:
    element.set("tests", str(len(outcomes) + errors))
    element.set("failures", str(sum(outcome.status == "failed" for outcome in outcomes)))
    element.set("errors", str(errors))
    element.set("skipped", str(sum(outcome.status == "skipped" for outcome in outcomes)))
    element.set("time", f"{seconds:.3f}")


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_clean(outcome.place.file),
        name=_clean(outcome.case),
        file=_clean(outcome.place.file),
        line=str(outcome.place.line),
        time=f"{outcome.seconds:.3f}",
    )
    if outcome.status == "failed":
        failure = ElementTree.SubElement(case, "failure", message=_clean(outcome.reason))
        failure.text = _clean("\n".join(transcript(outcome)))
    elif outcome.status == "skipped":
        ElementTree.SubElement(case, "skipped", message=_clean(outcome.reason))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
