"""The files the operator is made from: plans, areas, devices, charge names, personas, outages."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..catalog import Family, LifecycleStatus, ProductOffering
from ..money import LocalText, Money
from ..parties import Area, DeviceKind, Market


class SourceError(Exception):
    """A file of the data folder is missing or wrong; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class DeviceModel:
    id: str
    kind: DeviceKind
    brand: str
    model: str
    five_g: bool
    esim: bool
    price: Mapping[Market, Money]
    """Where it is sold."""


@dataclass(frozen=True, slots=True)
class Charge:
    """How a charge or discount is called, and its amount where it is a fixed one."""

    code: str
    name: LocalText
    amount: Mapping[Market, Money]
    survives_plan_change: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An area with what is needed to invent addresses and numbers in it."""

    area: Area
    city: LocalText
    region: str
    area_code: str
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    goodwill_per_year: Money
    payment_page: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything read from the data folder. Personas and outages stay as written: `seed` gives them meaning."""

    offerings: Mapping[str, ProductOffering]
    places: Mapping[str, Place]
    devices: Mapping[str, DeviceModel]
    charges: Mapping[str, Charge]
    terms: Mapping[Market, Terms]
    names: Mapping[Market, tuple[tuple[str, ...], tuple[str, ...]]]
    personas: tuple[Mapping[str, Any], ...]
    outages: tuple[Mapping[str, Any], ...]


def default_data() -> Path:
    """The data folder: `bot/starter/data` of an installed wheel, else `data` of a checkout.

    Raises SourceError when there is neither: pass `data=` to `EmbeddedOperator.open`.
    """
    root = Path(__file__).resolve().parents[3]
    for folder in (root / "bot" / "starter" / "data", root / "data"):
        if (folder / "offerings.csv").is_file():
            return folder
    raise SourceError(f"no data folder beside {root}: name one with EmbeddedOperator.open(data=...)")


def read_sources(folder: Path) -> Sources:
    """Read and check the whole folder. Unchanged files are parsed once a process. Raises SourceError."""
    names = ("offerings.csv", "areas.csv", "devices.csv", "charges.csv", "names.yml", "terms.yml", "personas.yml")
    stamps = []
    for name in (*names, "outages.yml"):
        path = folder / name
        if not path.is_file():
            raise SourceError(f"{path} is missing: the embedded operator needs it")
        stamps.append(path.stat().st_mtime_ns)
    return _read(folder, tuple(stamps))


@lru_cache(maxsize=4)
def _read(folder: Path, stamps: tuple[int, ...]) -> Sources:
    markets = {market.value: market for market in Market}
    names = _yaml(folder / "names.yml")
    terms = _yaml(folder / "terms.yml")
    return Sources(
        offerings=_by_id(folder / "offerings.csv", _offering),
        places=_by_id(folder / "areas.csv", _place),
        devices=_by_id(folder / "devices.csv", _device),
        charges=_by_id(folder / "charges.csv", _charge, key="code"),
        terms=MappingProxyType(
            {
                markets[code]: Terms(Money.of(value["goodwill_per_year"], markets[code].currency), str(value["payment_page"]))
                for code, value in terms.items()
            }
        ),
        names=MappingProxyType({markets[code]: (tuple(value["first"]), tuple(value["last"])) for code, value in names.items()}),
        personas=tuple(_yaml(folder / "personas.yml")),
        outages=tuple(_yaml(folder / "outages.yml")),
    )


def _yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except YAMLError as problem:
        raise SourceError(f"{path} is not YAML: {problem}") from problem


def _by_id(path: Path, make: Any, key: str = "id") -> Mapping[str, Any]:
    found = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                found[row[key]] = make(row)
            except (KeyError, ValueError, ArithmeticError) as problem:
                raise SourceError(f"{path}:{number}: {problem!r}: correct this row") from problem
    return MappingProxyType(found)


def _local(row: Mapping[str, str], name: str) -> LocalText:
    return LocalText(row[f"{name}_en"], row[f"{name}_ko"])


def _offering(row: Mapping[str, str]) -> ProductOffering:
    market = Market(row["market"])

    def money(name: str) -> Money:
        return Money(Decimal(row[name]), market.currency)

    return ProductOffering(
        id=row["id"],
        name=_local(row, "name"),
        description=_local(row, "description"),
        market=market,
        family=Family(row["family"]),
        price=money("price"),
        data_gb=Decimal(row["data_gb"]) if row["data_gb"] else None,
        voice_minutes=int(row["voice_minutes"]) if row["voice_minutes"] else None,
        texts=int(row["texts"]) if row["texts"] else None,
        top_up_price=money("top_up_price"),
        roaming_day_price=money("roaming_day_price"),
        contract_months=int(row["contract_months"]),
        early_termination_per_month=money("early_termination_per_month"),
        lifecycle_status=LifecycleStatus(row["status"]),
    )


def _place(row: Mapping[str, str]) -> Place:
    area = Area(
        id=row["id"],
        name=_local(row, "name"),
        market=Market(row["market"]),
        timezone=row["timezone"],
        postal_prefixes=tuple(row["postal_prefixes"].split()),
        tax_rate=Decimal(row["tax_rate"]),
    )
    return Place(area, _local(row, "city"), row["region"], row["area_code"], tuple(row["streets"].split("|")))


def _device(row: Mapping[str, str]) -> DeviceModel:
    return DeviceModel(
        id=row["id"],
        kind=DeviceKind(row["kind"]),
        brand=row["brand"],
        model=row["model"],
        five_g=row["five_g"] == "yes",
        esim=row["esim"] == "yes",
        price=_amounts(row["price_usd"], row["price_krw"]),
    )


def _charge(row: Mapping[str, str]) -> Charge:
    return Charge(row["code"], _local(row, "name"), _amounts(row["usd"], row["krw"]), row["survives_plan_change"] != "no")


def _amounts(usd: str, krw: str) -> Mapping[Market, Money]:
    given = {Market.US: usd, Market.KR: krw}
    return MappingProxyType({market: Money(Decimal(text), market.currency) for market, text in given.items() if text})
