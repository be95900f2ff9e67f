"""Documents with personal data, encrypted at rest: AES-256-GCM, bound to the row they stand in, under a key that is named.

A sealed document is JSON like any other: `{"$sealed": <key id>, "text": <base64 of nonce, ciphertext and tag>}`. The first key given
seals; all open. To rotate, put a new key first, run `reseal`, then drop the old one. A key is good for 2^32 documents
(NIST SP 800-38D, random 96-bit nonces): rotate it once a year, sooner above ten documents a second.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from typing import Any

from .document import decode, encode

_MARK = "$sealed"
_NONCE = 12
_KEY = 32


class SealError(Exception):
    """A document cannot be sealed or opened. `code` says why; the message names the table, never the row."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code


class Sealer:
    """Seals and opens documents. Without keys it lets documents through as they are.

    `keys` are 32 bytes each by id, the one that seals first. `strict` refuses rows that were stored in the clear; leave it off until
    `reseal` has run once. `random` gives nonces. Raises ValueError for a key of another length.
    """

    def __init__(
        self, keys: Mapping[str, bytes] | None = None, *, strict: bool = False, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._ciphers: dict[str, Any] = {}
        for name, key in (keys or {}).items():
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            if len(key) != _KEY or not name:
                raise ValueError(
                    f"encryption key {name!r} needs a name and {_KEY} bytes, it has {len(key)}: make one with `openssl rand -base64 32`"
                )
            self._ciphers[name] = AESGCM(key)
        if strict and not self._ciphers:
            raise ValueError("encryption is strict and there is no key: give at least one")
        self.newest = next(iter(self._ciphers), "")
        """The id of the key that seals; "" without keys."""
        self._strict = strict
        self._random = random

    @classmethod
    def from_text(cls, text: str, *, strict: bool = False) -> Sealer:
        """Reads `id:base64,id:base64` (a setting), newest first; "" gives one without keys. Raises ValueError."""
        keys = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, key = part.partition(":")
            try:
                keys[name] = base64.b64decode(key, validate=True)
            except binascii.Error:
                raise ValueError(f"encryption key {name!r} is not base64: write id:base64 and separate keys by commas") from None
        return cls(keys, strict=strict)

    def seal(self, value: Any, table: str, row: str) -> Any:
        """What to store for a JSON value. Raises TypeError or ValueError when it is not JSON, SealError when it looks sealed."""
        if not self.newest:
            if _is_sealed(value):
                raise SealError("looks-sealed", f"a clear document of {table} looks like a sealed one: name its fields differently")
            return value
        nonce = self._random(_NONCE)
        sealed = self._ciphers[self.newest].encrypt(nonce, encode(value).encode(), _place(table, row))
        return {_MARK: self.newest, "text": base64.b64encode(nonce + sealed).decode()}

    def open(self, stored: Any, table: str, row: str) -> Any:
        """The value that was sealed in this row. Raises SealError: `key-missing`, `tampered`, or `clear` when strict."""
        if not _is_sealed(stored):
            if self._strict:
                raise SealError("clear", f"a document of {table} is stored in the clear: seal it with `reseal` before encryption is strict")
            return stored
        cipher = self._ciphers.get(stored[_MARK])
        if cipher is None:
            raise SealError("key-missing", f"a document of {table} is sealed with key {stored[_MARK]!r}, which is not configured")
        from cryptography.exceptions import InvalidTag

        try:
            data = base64.b64decode(stored["text"], validate=True)
            return decode(cipher.decrypt(data[:_NONCE], data[_NONCE:], _place(table, row)))
        except (InvalidTag, ValueError):
            raise SealError("tampered", f"a document of {table} was changed, or moved from another row") from None

    def is_current(self, stored: Any) -> bool:
        """Whether a stored document needs no resealing."""
        return stored[_MARK] == self.newest if _is_sealed(stored) else not self.newest


def _is_sealed(stored: Any) -> bool:
    return isinstance(stored, dict) and stored.keys() == {_MARK, "text"}


def _place(table: str, row: str) -> bytes:
    return f"{table}\x1f{row}".encode(errors="surrogatepass")
