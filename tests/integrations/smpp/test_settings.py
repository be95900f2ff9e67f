from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels import Address
from bot.channels.port import ConnectedChannel
from integrations.smpp import Numbering, SmppChannel, SmppSettings, SmppSettingsError
from integrations.smpp.addresses import read_address, write_address

NEEDED = {"SMPP_HOST": "smsc.example", "SMPP_SYSTEM_ID": "bot", "SMPP_PASSWORD": "secret"}


def test_what_is_needed_is_enough() -> None:
    settings = SmppSettings.from_env(NEEDED)
    assert settings == SmppSettings("smsc.example", "bot", "secret")
    assert isinstance(SmppChannel(settings), ConnectedChannel)
    assert "secret" not in repr(settings)


def test_all_of_it() -> None:
    more = {
        "SMPP_PORT": "3550", "SMPP_SYSTEM_TYPE": "BOT", "SMPP_SERVICE_TYPE": "CMT", "SMPP_BIND": "pair", "SMPP_TLS": "true", "SMPP_SOURCE": "1588",
        "SMPP_INTERNATIONAL": "1,1", "SMPP_OTHER": "3,0", "SMPP_ALPHANUMERIC": "5,0", "SMPP_COUNTRY_CODE": "+82", "SMPP_WINDOW": "5",
        "SMPP_CONNECT_TIMEOUT": "4", "SMPP_SEND_TIMEOUT": "5", "SMPP_ENQUIRE_LINK": "60", "SMPP_ENQUIRE_LINK_TIMEOUT": "3", "SMPP_THROTTLE_WAIT": "1.5",
        "SMPP_SEGMENTS_PER_SECOND": "50", "SMPP_MAX_SEGMENTS": "4", "SMPP_LONG_MESSAGES": "payload", "SMPP_DEFAULT_ALPHABET": "latin-1",
        "SMPP_DATA_CODINGS": "4=utf-8, 0x0e=euc_kr", "SMPP_PARTS": "acknowledge", "SMPP_PARTS_WAIT": "20", "SMPP_MESSAGE_ID_TLVS": "0x1400,30",
        "SMPP_RECEIPT_IDS": "decimal", "SMPP_STATUSES": "0x412=opted_out,1025=retry", "SMPP_UNKNOWN_RESEND_AFTER": "3600",
    }  # fmt: skip
    settings = SmppSettings.from_env(NEEDED | more)
    assert (settings.port, settings.bind, settings.tls, settings.other, settings.country_code) == (
        3550,
        "pair",
        True,
        Numbering(3, 0),
        "82",
    )
    assert (settings.data_codings, settings.message_id_tlvs) == ({4: "utf-8", 14: "euc_kr"}, (0x1400, 30))
    assert (settings.statuses, settings.unknown_resend_after) == ({0x412: "opted_out", 1025: "retry"}, timedelta(hours=1))


def test_all_that_is_missing_is_said_at_once_and_no_value() -> None:
    with pytest.raises(SmppSettingsError) as caught:
        SmppSettings.from_env({"SMPP_PASSWORD": "hunter22", "SMPP_PORT": "hunter22", "SMPP_OTHER": "hunter22", "SMPP_TLS": "hunter22"})
    assert len(caught.value.problems) == 5
    for name in ("SMPP_HOST", "SMPP_SYSTEM_ID", "SMPP_PORT", "SMPP_OTHER", "SMPP_TLS"):
        assert name in str(caught.value)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", "ninechars"),
        ("SYSTEM_ID", "sixteen-letters!"),
        ("PORT", "0"),
        ("WINDOW", "0"),
        ("MAX_SEGMENTS", "256"),
        ("BIND", "both"),
        ("LONG_MESSAGES", "cut"),
        ("DEFAULT_ALPHABET", "ebcdic"),
        ("DATA_CODINGS", "4=hex"),
        ("DATA_CODINGS", "4"),
        ("DATA_CODINGS", "256=utf-8"),
        ("STATUSES", "0=retry"),
        ("STATUSES", "1=never"),
        ("PARTS", "drop"),
        ("RECEIPT_IDS", "octal"),
        ("MESSAGE_ID_TLVS", "65536"),
        ("SEND_TIMEOUT", "0"),
        ("SEND_TIMEOUT", "nan"),
        ("ENQUIRE_LINK", "-1"),
        ("THROTTLE_WAIT", "-1"),
        ("COUNTRY_CODE", "KR"),
        ("UNKNOWN_RESEND_AFTER", "0"),
        ("UNKNOWN_RESEND_AFTER", "soon"),
        ("INTERNATIONAL", "1"),
        ("INTERNATIONAL", "256,1"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(SmppSettingsError, match=f"SMPP_{name}"):
        SmppSettings.from_env(NEEDED | {f"SMPP_{name}": value})


def test_numbers_go_out_as_they_came() -> None:
    settings = replace(SmppSettings.from_env(NEEDED), other=Numbering(3, 0))
    for ton, number in ((1, "821000000001"), (3, "1588"), (5, "Operator")):
        numbering, written = write_address(settings, read_address(settings, ton, number))
        assert (numbering.ton, written) == (ton, number)
    assert read_address(settings, 0, "01000000001") == Address("tel", "01000000001"), "without a country nobody knows whose it is"
    for value in ("한국", "a" * 21, "+" + "1" * 21, "a\x00"):
        with pytest.raises(ValueError, match="address"):
            write_address(settings, Address("tel", value))
