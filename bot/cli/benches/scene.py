"""The conversation that every bot of a bench plays: a transfer in four turns, of which one is a digression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FLOWS = """
flows:
  transfer_money:
    description: send money to somebody
    run_pattern_completed: false
    steps:
      - collect: recipient
      - collect: amount
      - action: check_funds
        next:
          - if: slots.has_funds
            then: confirm
          - else: utter_no
      - id: utter_no
        action: utter_insufficient
        next: END
      - id: confirm
        collect: confirm
        ask_before_filling: true
        next:
          - if: slots.confirm
            then: done
          - else: END
      - id: done
        action: utter_done
  balance:
    description: show the balance
    steps: [{action: utter_balance}]
slots:
  recipient: {type: text}
  amount: {type: float}
  has_funds: {type: bool, mappings: [{type: controlled}]}
  confirm: {type: bool}
responses:
  utter_ask_recipient: [{text: "Who to?"}]
  utter_ask_amount: [{text: "How much?"}]
  utter_ask_confirm: [{text: "Send {amount} to {recipient}?"}]
  utter_insufficient: [{text: "Not enough."}]
  utter_done: [{text: "Sent."}]
  utter_balance: [{text: "100"}]
actions: [check_funds: {read_only: true}]
"""
LINES = {
    "I want to send money to Joe": ("StartFlow(transfer_money)", "SetSlot(recipient, Joe)"),
    "what is my balance?": ("StartFlow(balance)",),
    "50": ("SetSlot(amount, 50)",),
    "yes": ("SetSlot(confirm, True)",),
}
"""What the customer says, and what it is understood as: understanding is measured elsewhere."""


class CheckFunds:
    """The one action of the scene."""

    names = frozenset({"check_funds"})

    async def run(self, call: Any) -> Any:
        from bot.dialogue.actions import ActionResult

        return ActionResult(slots=(("has_funds", float(call.slots["amount"]) <= 100),))


def commands() -> dict[str, tuple[Any, ...]]:
    """The commands of each line."""
    from bot.dialogue.commands import parse

    return {text: tuple(parse(command) for command in line) for text, line in LINES.items()}


def project(folder: Path, flows: int = 0) -> Any:
    """The project of the scene, with as many flows besides that nobody starts."""
    from bot.language import load

    root = folder / f"project-{flows}"
    (root / "data").mkdir(parents=True, exist_ok=True)
    (root / "domain.yml").write_text("version: '3.1'\n")
    (root / "data" / "flows.yml").write_text(FLOWS)
    if flows:
        body = "".join(
            f"  extra_{n}:\n    description: extra flow number {n}\n    steps:\n      - collect: extra_slot_{n}\n      - action: utter_extra_{n}\n"
            for n in range(flows)
        )
        slots = "".join(f"  extra_slot_{n}: {{type: text}}\n" for n in range(flows))
        said = "".join(f"  utter_extra_{n}: [{{text: done}}]\n  utter_ask_extra_slot_{n}: [{{text: what}}]\n" for n in range(flows))
        (root / "data" / "extra.yml").write_text(f"flows:\n{body}slots:\n{slots}responses:\n{said}")
    return load(root, compat="3.11").project
