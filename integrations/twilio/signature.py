"""Is it Twilio who calls? An HMAC over the public URL and the sorted form, as documented in "Webhooks Security".

All that goes wrong in practice has its line here: the URL is our configuration and the raw target, never what the request says
of itself; blank fields count; repeated fields count once per value; a body that is no form must be hashed into the URL. What
cannot be checked is refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HEADER = "X-Twilio-Signature"
# Sent with webhooks that are signed by a shared key: `key=<id of the key>,algorithm=HMAC_SHA256`.
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

Form = tuple[tuple[str, str], ...]

_MOST_BYTES = 256 * 1024
_MOST_FIELDS = 1000
_ALGORITHMS: Mapping[str, Callable[[], Any]] = MappingProxyType({"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256})
_PORTS = {"https": 443, "http": 80, "wss": 443, "ws": 80}


class BadForm(ValueError):
    """The body is no form of a size and kind Twilio sends."""


def read_form(body: bytes) -> Form:
    """All fields in order, blank ones too. Raises BadForm."""
    if len(body) > _MOST_BYTES:
        raise BadForm("the body is too large")
    try:
        text = body.decode("utf-8")
        return tuple(parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise BadForm("the body is no UTF-8 form") from error


def sign(secret: str, url: str, form: Iterable[tuple[str, str]] = (), *, algorithm: str = "HMAC_SHA1") -> str:
    """The signature of a request with this form (none for GET and for bodies that are no form). Raises KeyError."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), _ALGORITHMS[algorithm]).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request claims: `value` of the one header, `settings` of the other (usually absent)."""

    value: str = field(repr=False)
    settings: str = ""

    @property
    def algorithm(self) -> str:
        parts = (part.partition("=") for part in self.settings.split(","))
        named = [value.strip().upper() for name, _, value in parts if name.strip() == "algorithm" and value.strip()]
        return named[0] if named else "HMAC_SHA1"

    def covers_form(self, secrets: Sequence[str], url: str, form: Iterable[tuple[str, str]] = ()) -> bool:
        """Whether any of the secrets made it, for the URL with or without its port (Twilio is not consistent there)."""
        if not self.value or self.algorithm not in _ALGORITHMS:
            return False
        fields = tuple(form)
        given = self.value.encode("utf-8", "surrogatepass")
        matches = False
        for secret in secrets:
            for candidate in _with_and_without_port(url) if secret else ():
                expected = sign(secret, candidate, fields, algorithm=self.algorithm)
                matches |= hmac.compare_digest(given, expected.encode())
        return matches

    def covers_body(self, secrets: Sequence[str], url: str, body: bytes) -> bool:
        """For bodies that are no form (JSON): Twilio puts their SHA-256 into the signed URL. Without it they are not signed."""
        claimed = [value for name, value in parse_qsl(url.partition("?")[2]) if name == "bodySHA256"]
        if len(claimed) != 1:
            return False
        actual = hashlib.sha256(body).hexdigest()
        same = hmac.compare_digest(claimed[0].lower().encode("utf-8", "surrogatepass"), actual.encode())
        return same and self.covers_form(secrets, url)


def _with_and_without_port(url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ()
    default = _PORTS.get(parts.scheme)
    if default is None:
        return (url,)
    if port is None:
        other = f"{parts.netloc}:{default}"
    else:
        other = parts.netloc.rpartition(":")[0]
    # Only the port may change: the rest is put together from the very characters that were split.
    start = url.index("//") + 2
    return (url, url[:start] + other + url[start + len(parts.netloc) :])
