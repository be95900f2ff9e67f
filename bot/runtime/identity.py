"""Names of conversations: made from the addresses, the same at every webhook, and telling nobody who it is.

A conversation's name stands in logs, in idempotency keys and in the addresses providers call back. Numbers of telephones are few enough
to try them all, so a plain hash would be as good as the number; this one is keyed with a secret of the installation.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from sqlalchemy import select

from bot.channels import ConversationKey
from bot.conversations import Database
from bot.conversations.tables import installation_table

_SECRET = "conversation_secret"


async def installation_secret(database: Database) -> bytes:
    """The secret of this database; made when it is first asked for."""
    table = installation_table.c
    async with database.write() as tx:
        fresh = {"key": _SECRET, "value": secrets.token_hex(32)}
        await tx.execute(database.insert(installation_table).values(fresh).on_conflict_do_nothing())
        value: str = (await tx.execute(select(table.value).where(table.key == _SECRET))).scalar_one()
    return bytes.fromhex(value)


def conversation_id(secret: bytes, key: ConversationKey) -> str:
    """`c` and 24 hexadecimal digits."""
    return "c" + hmac.new(secret, str(key).encode(), sha256).hexdigest()[:24]
