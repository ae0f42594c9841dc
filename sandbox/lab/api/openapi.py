"""The API described in OpenAPI 3.1, made from the route table and the models' own schemas."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from sandbox.lab.api.reads import Nothing
from sandbox.lab.api.routes import ROUTES, Media, Route
from sandbox.model.base import Model

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?:(int):)?(\w+)>")

REFUSALS: dict[int, str] = {
    400: "What was sent makes no sense.",
    401: "The token is missing or wrong.",
    404: "The thing named does not exist here.",
    409: "It cannot be done in the present state.",
    413: "What was sent is too large.",
    421: "The request was meant for another host.",
    503: "Something this needs is not there at the moment.",
}
"""What the statuses other than 200 mean. Each comes with a sentence and a mend."""


class Refusal(Model):
    """Why a request was refused, and what to do about it."""

    sentence: str
    mend: str = ""


def openapi_document(server: str = "") -> dict[str, Any]:
    """The whole description. ``server`` is the address under which the lab answers."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        path = _PARAMETER.sub(lambda found: f"{{{found.group(2)}}}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PACS Sandbox lab",
            "version": "1",
            "description": "One lab: its nodes, what happens in it, and the commands that a person may give.",
        },
        "servers": [{"url": server or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    models: set[type[BaseModel]] = {Refusal}
    for route in ROUTES:
        for kind in (route.answer, route.takes, *getattr(route.answer, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not Nothing:
                models.add(kind)
    ordered = sorted(models, key=lambda model: model.__name__)
    _, document = models_json_schema([(model, "serialization") for model in ordered], ref_template=_REF)
    schemas: dict[str, Any] = document["$defs"]
    return schemas


def _operation(route: Route) -> dict[str, Any]:
    refusals = {status: text for status, text in REFUSALS.items() if not (route.is_public and status == 401)}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.title,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {
            "200": {"description": route.title, "content": {route.media.value: _content(route)}},
            **{str(status): _refusal(text) for status, text in refusals.items()},
        },
    }
    if route.is_public:
        operation["security"] = []
    if route.method == "POST":
        schema = {"$ref": _REF.format(model=route.takes.__name__)}
        operation["requestBody"] = {"required": True, "content": {Media.JSON.value: {"schema": schema}}}
    return operation


def _content(route: Route) -> dict[str, Any]:
    if route.media is not Media.JSON:
        return {"schema": {"type": "string"}} if route.media is Media.EVENTS else {}
    return {"schema": TypeAdapter(route.answer).json_schema(ref_template=_REF, mode="serialization") | {"$defs": {}}}


def _refusal(text: str) -> dict[str, Any]:
    return {"description": text, "content": {Media.JSON.value: {"schema": {"$ref": _REF.format(model="Refusal")}}}}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer" if kind == "int" else "string"},
        }
        for kind, name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.method == "POST":
        return []
    properties = route.takes.model_json_schema().get("properties", {})
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()]
