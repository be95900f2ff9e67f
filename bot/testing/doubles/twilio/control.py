"""For who plays with a double in another process: what a test does by calling it, over HTTP under `/double/`.

`POST /double/texts` with the form `From`, `Body` and perhaps `To` is a customer who writes, and answers with what the webhooks were answered;
`POST /double/faults` with `fault` and perhaps `times`, `code`, `seconds` makes the next requests to send go wrong; `GET /double/report` tells what
happened, `GET /double/messages?after=N` all messages from the N-th on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ..http_server import Request, Response
from .faults import Fault
from .responses import as_json

if TYPE_CHECKING:
    from .double import TwilioDouble

PREFIX = "/double/"


async def control(double: TwilioDouble, request: Request) -> Response:
    """400 for what cannot be read, 404 for what there is not."""
    given = dict(parse_qsl(request.query)) | dict(parse_qsl(request.body.decode("utf-8", "replace")))
    try:
        match request.method, request.path.removeprefix(PREFIX):
            case "POST", "texts":
                statuses = await double.text(given["From"], given["Body"], to=given.get("To", ""))
                return as_json(200, {"statuses": statuses})
            case "POST", "faults":
                numbers = {"times": int(given.get("times", "1")), "code": int(given.get("code", "21211"))}
                double.fail(Fault(given["fault"]), seconds=float(given.get("seconds", "1")), **numbers)
                return as_json(200, {})
            case "GET", "messages":
                return as_json(
                    200, {"messages": [_seen(double, index) for index in range(int(given.get("after", "0")), len(double.messages))]}
                )
            case "GET", "report":
                alerts = [{"code": alert.code, "detail": alert.detail} for alert in double.caller.alerts]
                told = {"messages": len(double.messages), "attempts": double.attempts, "violations": double.violations, "alerts": alerts}
                return as_json(200, told)
    except (KeyError, ValueError) as error:
        return as_json(400, {"problem": f"{type(error).__name__}: {error}"})
    return as_json(404, {"problem": "texts, faults, messages and report are what there is"})


def _seen(double: TwilioDouble, index: int) -> dict[str, Any]:
    message = double.messages[index]
    return {
        "sid": message.sid,
        "direction": message.direction,
        "from": message.sender,
        "to": message.to,
        "body": message.body,
        "status": message.status,
        "reference": message.reference,
    }
