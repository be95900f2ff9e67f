"""The desk that texts one-time codes. Nothing is really sent: `sent_codes` shows them to demos and tests."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from ..care import CodeRefusal, CodeSent, CodeVerification
from ..errors import BssError, Code
from .customers import customer_by_number
from .desk import Desk, new_id
from .numbers import e164_candidates
from .rules import CODE_ATTEMPTS, CODE_LIFE, CODES_PER_HOUR
from .store import Transaction
from .tables import TABLES, OneTimeCode


class CodeDesk(Desk):
    async def send_one_time_code(self, number: str, key: str) -> CodeSent:
        async def effect(tx: Transaction) -> CodeSent:
            if await customer_by_number(tx, number) is None:
                raise BssError(Code.NOT_FOUND, "no customer has this number")
            now = self._now()
            last = await self._open_code(tx, number)
            to = last.number if last else e164_candidates(number)[0]
            earlier = (*last.sent_before, last.sent) if last else ()
            earlier = tuple(sent for sent in earlier if sent > now - timedelta(hours=1))
            if len(earlier) >= CODES_PER_HOUR:
                raise BssError(Code.NOT_ELIGIBLE, "too many codes were sent to this number in an hour", ("too_many_codes",))
            digest = hashlib.sha256(f"{to}:{key}".encode()).digest()
            code = f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"
            await tx.put(OneTimeCode(_row(to), to, code, now, now + CODE_LIFE, CODE_ATTEMPTS, earlier))
            return CodeSent(new_id("COD", key), to[-2:], now + CODE_LIFE)

        return await self._write("send_one_time_code", key, (number,), effect)

    async def verify_one_time_code(self, number: str, code: str, key: str | None = None) -> CodeVerification:
        async def effect(tx: Transaction) -> CodeVerification:
            sent = await self._open_code(tx, number)
            if sent is None or not sent.code:
                return CodeVerification(False, CodeRefusal.NOT_SENT, 0)
            if sent.attempts_left <= 0:
                return CodeVerification(False, CodeRefusal.TOO_MANY_ATTEMPTS, 0)
            if sent.expires <= self._now():
                return CodeVerification(False, CodeRefusal.EXPIRED, 0)
            if "".join(code.split()) == sent.code:
                await tx.change(sent, code="")
                return CodeVerification(True, None, sent.attempts_left)
            left = sent.attempts_left - 1
            await tx.change(sent, attempts_left=left)
            refusal = CodeRefusal.WRONG if left else CodeRefusal.TOO_MANY_ATTEMPTS
            return CodeVerification(False, refusal, left)

        if key is not None:
            return await self._write("verify_one_time_code", key, (number, code), effect)
        await self.faults.before("verify_one_time_code")
        async with self._store.write() as tx:
            return await effect(tx)

    async def sent_codes(self) -> dict[str, str]:
        """The code that works now for each number (E.164), for demos and tests: this desk has no way to text."""
        async with self._store.read() as tx:
            codes = await tx.select(OneTimeCode)
        now = self._now()
        return {sent.number: sent.code for sent in codes if sent.code and sent.expires > now}

    async def _open_code(self, tx: Transaction, number: str) -> OneTimeCode | None:
        rows = [_row(candidate) for candidate in e164_candidates(number)]
        found = await tx.select(OneTimeCode, TABLES[OneTimeCode].c.id.in_(rows), limit=1)
        return found[0] if found else None


def _row(number: str) -> str:
    return f"OTC-{number}"
