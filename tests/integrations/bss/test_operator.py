from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from integrations.bss import Bss, BssError, Code, LocalText
from integrations.bss.embedded import EmbeddedOperator, SourceError, default_data
from integrations.bss.models import Market, ProblemStatus, Service

from .conftest import Clock

EMMA, NUMBER = "CUS-10001", "+12025550101"


async def test_it_is_the_port(operator: EmbeddedOperator) -> None:
    port: Bss = operator
    assert (await port.customer(EMMA)).id == EMMA


@pytest.mark.parametrize("written", ["+82 10-0000-0101", "010-0000-0101", "01000000101", "+821000000101"])
async def test_a_korean_number_however_written(operator: EmbeddedOperator, written: str) -> None:
    customer = await operator.find_customer_by_number(written)
    assert customer is not None
    assert customer.id == "CUS-10101"


@pytest.mark.parametrize("written", ["(202) 555-0101", "202-555-0101", "1 202 555 0101"])
async def test_an_american_number_however_written(operator: EmbeddedOperator, written: str) -> None:
    customer = await operator.find_customer_by_number(written)
    assert customer is not None
    assert customer.id == EMMA


async def test_a_second_line_leads_to_its_owner(operator: EmbeddedOperator) -> None:
    customer = await operator.find_customer_by_number("+821000000105")
    assert customer is not None
    assert customer.id == "CUS-10103"


async def test_plans_are_understood_as_customers_say_them(operator: EmbeddedOperator) -> None:
    async def named(text: str, market: Market) -> list[str]:
        return [plan.id for plan in await operator.find_offerings_by_name(text, market)]

    assert await named("the 5G Max plan please", Market.US) == ["us-5g-max"]
    assert await named("5g unlimted", Market.US) == ["us-5g-unlimited"]
    assert await named("5G 플러스 요금제로 바꿔주세요", Market.KR) == ["kr-5g-plus"]
    assert await named("프리미엄", Market.KR) == ["kr-5g-premium"]
    assert set(await named("lte", Market.US)) == {"us-lte-talk", "us-lte-basic"}


async def test_areas_are_found_by_name_city_and_postal_code(operator: EmbeddedOperator) -> None:
    async def found(text: str, market: Market) -> list[str]:
        return [area.id for area in await operator.find_areas(text, market)]

    assert await found("해운대", Market.KR) == ["kr-haeundae"]
    assert await found("94110", Market.US) == ["us-sf"]
    assert await found("san francisco", Market.US) == ["us-sf"]
    assert set(await found("서울", Market.KR)) == {"kr-gangnam", "kr-mapo", "kr-songpa"}
    assert await found("Atlantis", Market.US) == []


# -- one-time codes


async def test_a_code_is_good_once(operator: EmbeddedOperator) -> None:
    await operator.send_one_time_code("(202) 555-0101", "send")
    code = (await operator.sent_codes())[NUMBER]
    assert not await operator.verify_one_time_code("+821000000101", code)
    assert await operator.verify_one_time_code(NUMBER, f" {code[:3]} {code[3:]} ", "check")
    assert await operator.verify_one_time_code(NUMBER, f" {code[:3]} {code[3:]} ", "check")
    again = await operator.verify_one_time_code(NUMBER, code)
    assert (bool(again), again.refusal) == (False, "not_sent")


async def test_guessing_is_stopped(operator: EmbeddedOperator) -> None:
    await operator.send_one_time_code(NUMBER, "send")
    code = (await operator.sent_codes())[NUMBER]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    left = [(await operator.verify_one_time_code(NUMBER, wrong)).attempts_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert (await operator.verify_one_time_code(NUMBER, code)).refusal == "too_many_attempts"


async def test_a_code_runs_out_and_a_new_one_replaces_it(operator: EmbeddedOperator, clock: Clock) -> None:
    await operator.send_one_time_code(NUMBER, "a")
    first = (await operator.sent_codes())[NUMBER]
    await operator.send_one_time_code(NUMBER, "b")
    second = (await operator.sent_codes())[NUMBER]
    assert first != second
    assert (await operator.verify_one_time_code(NUMBER, first)).refusal == "wrong"
    clock.advance(minutes=11)
    assert await operator.sent_codes() == {}
    assert (await operator.verify_one_time_code(NUMBER, second)).refusal == "expired"


async def test_codes_are_not_sent_without_end(operator: EmbeddedOperator, clock: Clock) -> None:
    for n in range(6):
        if n < 5:
            await operator.send_one_time_code(NUMBER, f"k{n}")
    with pytest.raises(BssError) as caught:
        await operator.send_one_time_code(NUMBER, "k9")
    assert (caught.value.code, caught.value.reasons) == (Code.NOT_ELIGIBLE, ("too_many_codes",))
    clock.advance(hours=1, minutes=1)
    await operator.send_one_time_code(NUMBER, "k9")


async def test_errors_name_no_person(operator: EmbeddedOperator) -> None:
    for call in (operator.send_one_time_code("+12025550198", "k"), operator.pay_bill("BIL-0", "4242", "k")):
        with pytest.raises(BssError) as caught:
            await call
        assert "12025550198" not in str(caught.value)
        assert "4242" not in str(caught.value)


# -- outages


async def test_an_outage_begins_is_subscribed_to_and_ends(operator: EmbeddedOperator) -> None:
    cause = LocalText("A flooded cable duct", "케이블 관로 침수")
    problem = await operator.declare_problem(("us-dc",), (Service.VOICE,), cause, "begin")
    assert problem in await operator.service_problems(line_id="LIN-10001-1")
    wish = await operator.subscribe_to_problem(problem.id, EMMA, "tell")
    solved = await operator.resolve_problem(problem.id, "end")
    assert (solved.status, solved.resolved is not None) == (ProblemStatus.RESOLVED, True)
    assert await operator.service_problems(line_id="LIN-10001-1") == ()
    assert await operator.problem_subscriptions(problem.id) == (wish,)
    with pytest.raises(BssError) as caught:
        await operator.subscribe_to_problem(problem.id, "CUS-10002", "late")
    assert caught.value.reasons == ("resolved",)


# -- trouble


async def test_an_unavailable_system_did_nothing(operator: EmbeddedOperator) -> None:
    operator.faults.fail("set_auto_pay", times=2)
    for _ in range(2):
        with pytest.raises(BssError) as caught:
            await operator.set_auto_pay(EMMA, True, "k")
        assert (caught.value.code, caught.value.retryable) == (Code.UNAVAILABLE, True)
    assert await operator.result_of("k") is None
    assert (await operator.set_auto_pay(EMMA, True, "k")).auto_pay


async def test_a_lost_answer_is_found_again(operator: EmbeddedOperator) -> None:
    operator.faults.lose_answer("create_ticket")
    with pytest.raises(BssError) as caught:
        await operator.create_ticket(EMMA, "other", "hello", "k")  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.retryable) == (Code.UNKNOWN_OUTCOME, False)
    [ticket] = await operator.tickets(EMMA)
    assert await operator.result_of("k") == ticket
    assert await operator.create_ticket(EMMA, "other", "hello", "k") == ticket  # type: ignore[arg-type]
    assert await operator.tickets(EMMA) == (ticket,)


async def test_reads_fail_too_and_clear_ends_it(operator: EmbeddedOperator) -> None:
    operator.faults.fail("*", times=100)
    for call in (operator.customer(EMMA), operator.offerings(Market.US), operator.service_problems()):
        with pytest.raises(BssError):
            await call
    operator.faults.clear()
    assert await operator.customer(EMMA)


async def test_a_write_that_breaks_leaves_nothing(operator: EmbeddedOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.bss.embedded.store import Transaction

    add = Transaction.add

    async def broken(self: Transaction, entity: object) -> None:
        if type(entity).__name__ == "TopUp":
            raise RuntimeError("the disk is full")
        await add(self, entity)

    monkeypatch.setattr(Transaction, "add", broken)
    with pytest.raises(RuntimeError):
        await operator.top_up_data("LIN-10001-1", 2, "k")  # type: ignore[arg-type]
    monkeypatch.undo()
    assert await operator.unbilled_charges(EMMA) == ()
    assert (await operator.data_usage("LIN-10001-1")).top_up_gb == 0


# -- opening


async def test_two_processes_worth_of_operators_share_a_file(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/operator.db"
    async with EmbeddedOperator.open(url, now=clock, customers=0) as one, EmbeddedOperator.open(url, now=clock) as two:
        calls = [who.top_up_data("LIN-10001-1", 1, f"k{n % 10}") for n, who in enumerate([one, two] * 20)]  # type: ignore[arg-type]
        await asyncio.gather(*calls)
        assert (await one.data_usage("LIN-10001-1")).top_up_gb == 10
        assert len(await two.unbilled_charges(EMMA)) == 10


async def test_what_cannot_be_opened_says_so(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ValueError, match="sqlite"):
        async with EmbeddedOperator.open("postgresql+psycopg://x/y"):
            pass
    with pytest.raises(SourceError, match=r"offerings\.csv is missing"):
        async with EmbeddedOperator.open(data=tmp_path):
            pass
    shutil.copytree(default_data(), tmp_path / "data")
    rows = (tmp_path / "data" / "offerings.csv").read_text("utf-8").replace("20.00", "free", 1)
    (tmp_path / "data" / "offerings.csv").write_text(rows, "utf-8")
    with pytest.raises(SourceError, match=r"offerings\.csv:2"):
        async with EmbeddedOperator.open(data=tmp_path / "data"):
            pass


async def test_a_whole_operator_opens_quickly(clock: Clock) -> None:
    started = time.process_time()
    async with EmbeddedOperator.open(now=clock) as operator:
        assert await operator.find_customer_by_number(NUMBER)
    # The budget is 1.5 s on a quiet machine; CPU time, with room for a slow one.
    assert time.process_time() - started < 3


def test_the_port_is_light() -> None:
    script = (
        "import sys, integrations.bss; print([m for m in ('sqlalchemy', 'phonenumbers', 'ruamel', 'pydantic', 'bot') if m in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
