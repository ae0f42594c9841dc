"""What faults of a node's services have in common: which services its role has, and what a condition may ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sandbox.archive.attributes import STORED
from sandbox.faults.on_node import try_node
from sandbox.model.config import NodeConfig
from sandbox.model.discovery import suggestion
from sandbox.model.errors import BadInputError
from sandbox.nodes.archive_node import ArchiveConfig
from sandbox.nodes.impairments import Condition, Service
from sandbox.nodes.router import RouterConfig
from sandbox.nodes.workstation import WorkstationConfig

SERVICES: Mapping[type[NodeConfig], frozenset[Service]] = {
    ArchiveConfig: frozenset(Service),
    RouterConfig: frozenset({Service.STORE}),
    WorkstationConfig: frozenset({Service.STORE}),
}
"""What each role answers beside C-ECHO."""

ATTRIBUTES = frozenset(attribute.keyword for attribute in STORED) | {"TransferSyntaxUID"}
"""What a condition may ask of an object."""


def try_service(configs: Mapping[str, NodeConfig], node: str, service: Service, where: Iterable[Condition]) -> None:
    """Raise BadInputError when ``node`` does not answer ``service``, or a condition can never hold."""
    if service not in SERVICES.get(type(try_node(configs, node)), frozenset()):
        able = [name for name, config in configs.items() if service in SERVICES.get(type(config), frozenset())]
        raise BadInputError(f"{node} does not answer {service}.", f"These do: {', '.join(able) or 'none'}.")
    for condition in where:
        if condition.attribute not in ATTRIBUTES:
            raise BadInputError(
                f"No condition can be on {condition.attribute!r}.", suggestion(condition.attribute, sorted(ATTRIBUTES))
            )


def said_of(where: Iterable[Condition], everything: str) -> str:
    """ "objects with Modality US and BodyPartExamined HEAD*", or ``everything`` without conditions."""
    conditions = [f"{condition.attribute} {condition.value!r}" for condition in where]
    return f"objects with {' and '.join(conditions)}" if conditions else everything
