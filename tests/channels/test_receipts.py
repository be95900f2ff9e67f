from __future__ import annotations

from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bot.channels import Progress, Status, merge

progresses = st.builds(Progress, st.sampled_from(Status), st.sampled_from(("", "30003", "30007")))


@given(progresses, progresses, progresses)
def test_merging_is_a_lattice(a: Progress, b: Progress, c: Progress) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a) == a
    assert a.merge(b).status >= a.status


@given(st.lists(progresses, min_size=1, max_size=4))
def test_every_order_ends_the_same(told: list[Progress]) -> None:
    ends = {reduce(Progress.merge, order, Progress()) for order in permutations(told)}
    assert len(ends) == 1
    assert ends.pop() in (*told, Progress())


def test_what_the_handset_has_no_later_failure_takes_back() -> None:
    assert merge(Status.DELIVERED, Status.FAILED) is Status.DELIVERED
    assert merge(Status.UNDELIVERED, Status.SENT) is Status.UNDELIVERED
    assert merge(Status.READ, Status.DELIVERED) is Status.READ
    assert Progress(Status.SENT).merge(Progress(Status.FAILED, "30003")) == Progress(Status.FAILED, "30003")


def test_what_statuses_mean() -> None:
    assert {status for status in Status if status.failed} == {Status.CANCELED, Status.FAILED, Status.UNDELIVERED}
    assert {status for status in Status if status.arrived} == {Status.PARTIALLY_DELIVERED, Status.DELIVERED, Status.READ}
    assert not Status.SENT.settled
