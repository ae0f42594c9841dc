"""The part of JSON schema that configuration classes use, with references followed and optional values unwrapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = Any


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    NAMES = "names"
    GROUP = "group"
    TABLE = "table"


@dataclass(frozen=True)
class Schema:
    """One setting's schema. ``raw`` has its references followed; ``definitions`` are the whole document's."""

    raw: Mapping[str, Json]
    definitions: Mapping[str, Json]

    @property
    def kind(self) -> Kind:
        kind = self.raw.get("type")
        if "enum" in self.raw:
            return Kind.CHOICE
        if kind == "boolean":
            return Kind.SWITCH
        if kind in ("integer", "number"):
            return Kind.NUMBER
        if kind == "object":
            return Kind.GROUP
        if kind == "array":
            return Kind.TABLE if self.items.kind is Kind.GROUP else Kind.NAMES
        return Kind.CHOICE if self.raw.get("choices") else Kind.TEXT

    @property
    def is_whole_number(self) -> bool:
        return self.raw.get("type") == "integer" or all(isinstance(one, int) for one in self.raw.get("enum", [""]))

    @property
    def may_be_nothing(self) -> bool:
        return bool(self.raw.get("nullable"))

    @property
    def fields(self) -> dict[str, Schema]:
        return {name: resolve(raw, self.definitions) for name, raw in self.raw.get("properties", {}).items()}

    @property
    def items(self) -> Schema:
        return resolve(self.raw.get("items", {"type": "string"}), self.definitions)

    def said(self, key: str, default: str = "") -> str:
        return str(self.raw.get(key, default))

    def default(self) -> Json:
        """What a new line of a table starts with."""
        if "default" in self.raw:
            return self.raw["default"]
        match self.kind:
            case Kind.GROUP:
                return {name: field.default() for name, field in self.fields.items()}
            case Kind.TABLE | Kind.NAMES:
                return []
            case Kind.SWITCH:
                return False
            case Kind.CHOICE if "enum" in self.raw:
                return self.raw["enum"][0]
            case _:
                return ""


def document(schema: Mapping[str, Json]) -> Schema:
    """The schema of a whole configuration."""
    return resolve(schema, schema.get("$defs", {}))


def resolve(raw: Mapping[str, Json], definitions: Mapping[str, Json]) -> Schema:
    """``raw`` with $ref, allOf of one and anyOf with null replaced by what they stand for; its own titles win."""
    own = {key: value for key, value in raw.items() if key not in ("$ref", "allOf", "anyOf")}
    if "$ref" in raw:
        return Schema({**resolve(definitions[raw["$ref"].rpartition("/")[2]], definitions).raw, **own}, definitions)
    if len(raw.get("allOf", ())) == 1:
        return Schema({**resolve(raw["allOf"][0], definitions).raw, **own}, definitions)
    if "anyOf" in raw:
        real = [option for option in raw["anyOf"] if option.get("type") != "null"]
        nullable = len(real) < len(raw["anyOf"])
        return Schema({**resolve(real[0], definitions).raw, **own, "nullable": nullable}, definitions)
    return Schema(raw, definitions)
