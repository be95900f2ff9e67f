"""How a planned fault looks on the wire."""

from __future__ import annotations

import json

from ..http_server import Response
from .faults import Fault, Planned
from .rules import Refused


def as_json(status: int, value: object) -> Response:
    return Response(status, json.dumps(value).encode())


def in_place_of(planned: Planned) -> Response:
    """For faults that come before the message is accepted."""
    match planned.fault:
        case Fault.RATE_LIMIT:
            limited = as_json(429, Refused(20429).to_json())
            return Response(429, limited.body, headers={"Retry-After": str(int(planned.seconds))})
        case Fault.REFUSE:
            refused = Refused(planned.code)
            return as_json(refused.status, refused.to_json())
        case Fault.SERVER_ERROR_BEFORE:
            return _server_error()
        case Fault.HANG_UP_BEFORE:
            return Response(ending="hang_up")
        case Fault.RESET_BEFORE:
            return Response(ending="reset")
        case Fault.SILENCE_BEFORE:
            return Response(ending="silence")
        case Fault.GATEWAY:
            return Response(502, b"<html>Bad Gateway</html>", "text/html")
        case Fault.PORTAL:
            return Response(403, b"<html>Please log in</html>", "text/html")
        case Fault.REDIRECT:
            return Response(307, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    raise AssertionError(planned)


def after_acceptance(planned: Planned, answer: Response) -> Response:
    """For faults that come when the message has been accepted and `answer` was to say so."""
    match planned.fault:
        case Fault.SERVER_ERROR_AFTER:
            return _server_error()
        case Fault.HANG_UP_AFTER:
            return Response(ending="hang_up")
        case Fault.RESET_AFTER:
            return Response(ending="reset")
        case Fault.SILENCE_AFTER:
            return Response(ending="silence")
        case Fault.CUT_AFTER:
            return Response(answer.status, answer.body, ending="cut")
        case Fault.TRICKLE_AFTER:
            return Response(answer.status, answer.body, ending="trickle")
        case Fault.GARBAGE_AFTER:
            return Response(201, b"\x00\xff not json \xfe")
        case Fault.SLOW:
            return Response(answer.status, answer.body, after=planned.seconds)
    raise AssertionError(planned)


def _server_error() -> Response:
    return as_json(500, {"code": 20500, "message": "Internal Server Error", "status": 500})
