"""Contract: every write under its key happens once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from ..errors import Code
from ..port import Bss
from .calls import FIRST_STEPS, SECOND_STEPS, Step, everything, first_steps, latest_bill, refused, second_steps
from .cast import Cast


class KeyContract:
    """Idempotency, under repetition and at the same time."""

    @pytest.mark.parametrize("name", FIRST_STEPS)
    async def test_a_write_repeated_under_its_key_happens_once(self, bss: Bss, cast: Cast, name: str) -> None:
        steps = await first_steps(bss, cast)
        assert set(steps) == set(FIRST_STEPS)
        await self._once(bss, cast, steps[name])

    @pytest.mark.parametrize("name", SECOND_STEPS)
    async def test_a_second_step_repeated_under_its_key_happens_once(self, bss: Bss, cast: Cast, name: str) -> None:
        steps = await second_steps(bss, cast)
        assert set(steps) == set(SECOND_STEPS)
        await self._once(bss, cast, steps[name])

    async def _once(self, bss: Bss, cast: Cast, step: Step) -> None:
        before = await everything(bss, cast)
        assert await bss.result_of("the-key") is None
        answer = await step("the-key")
        after = await everything(bss, cast)
        assert after != before
        again: list[Any] = list(await asyncio.gather(step("the-key"), step("the-key")))
        assert again == [answer, answer]
        assert await everything(bss, cast) == after
        assert await bss.result_of("the-key") == answer

    async def test_writes_at_the_same_time_under_one_key_happen_once(self, bss: Bss, cast: Cast) -> None:
        steps = await first_steps(bss, cast)
        for name in ("top_up_data", "create_ticket", "book_appointment", "order_plan_change", "give_credit", "pay_bill"):
            answers = await asyncio.gather(*(steps[name](f"{name}-key") for _ in range(5)))
            assert all(answer == answers[0] for answer in answers)
        assert (await bss.data_usage(cast.line)).top_up_gb == 2
        assert (await bss.customer(cast.customer)).goodwill_credit_used.amount == 5
        kinds = sorted(charge.type.value for charge in await bss.unbilled_charges(cast.customer))
        assert kinds == ["credit", "extra_data", "proration"]
        assert [len(x) for x in (await bss.tickets(cast.customer), await bss.appointments(cast.customer))] == [1, 1]
        assert len(await bss.orders(cast.customer)) == 1
        bill = await latest_bill(bss, cast.customer)
        assert len([payment for payment in await bss.payments(cast.customer) if payment.bill_id == bill.id]) == 1

    async def test_a_code_repeated_under_its_key_is_one_code(self, bss: Bss, cast: Cast) -> None:
        sent = await bss.send_one_time_code(cast.number, "k")
        assert await bss.send_one_time_code(cast.number, "k") == sent
        checked = await bss.verify_one_time_code(cast.number, "not a code", "v")
        assert not checked
        assert await bss.verify_one_time_code(cast.number, "not a code", "v") == checked
        again = await bss.verify_one_time_code(cast.number, "not a code", "w")
        assert again.attempts_left == checked.attempts_left - 1

    async def test_a_key_is_for_one_request(self, bss: Bss, cast: Cast) -> None:
        await bss.top_up_data(cast.line, Decimal(2), "k")
        after = await everything(bss, cast)
        assert (await refused(bss.top_up_data(cast.line, Decimal(3), "k"))).code == Code.KEY_REUSED
        assert (await refused(bss.set_roaming(cast.line, False, "k"))).code == Code.KEY_REUSED
        assert await everything(bss, cast) == after

    async def test_a_refused_write_leaves_its_key_free(self, bss: Bss, cast: Cast) -> None:
        assert (await refused(bss.top_up_data(cast.line, Decimal(-1), "k"))).code == Code.INVALID
        assert await bss.result_of("k") is None
        assert (await bss.top_up_data(cast.line, Decimal(1), "k")).gb == 1

    async def test_a_write_needs_a_key(self, bss: Bss, cast: Cast) -> None:
        assert (await refused(bss.set_roaming(cast.line, False, ""))).code == Code.INVALID
