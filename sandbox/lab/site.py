"""A site: a department as it is declared in a file, before anybody breaks it.

Nodes with their place on the map, addresses and VLANs, AE tables, routing rules, firewall, names, people, the quiet
background and the patients of earlier years. Values only: ``composition`` makes running nodes of them, ``site_check``
says what cannot work. A site file is scenarios/sites/<slug>.toml.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

import scenarios
from sandbox.model.base import Model, explain_validation
from sandbox.model.config import NAME_PATTERN
from sandbox.model.errors import BadInputError, NotFoundError
from sandbox.network.plan import AddressPlan

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Belief(StrEnum):
    """How a node's AE table names the hosts it knows: a modality mostly by address, a server mostly by name."""

    ADDRESS = "address"
    NAME = "name"


class SiteNode(Model):
    """A node: its role, its place on the map (``x``, ``y`` from 0 to 100), its host in the address plan, its settings.

    ``config`` holds the settings of the role's config class. ``knows`` lists nodes whose right AE title, host and port
    are entered in the AE table, by address or by name as ``knows_by`` says; a line written out in ``config.remotes``
    stays as it is written.
    """

    name: str = Field(pattern=NAME_PATTERN)
    role: str
    title: str
    location: str = ""
    host: str = ""
    x: float = Field(50.0, ge=0, le=100)
    y: float = Field(50.0, ge=0, le=100)
    config: dict[str, Any] = Field(default_factory=dict)
    knows: tuple[str, ...] = ()
    knows_by: Belief = Belief.ADDRESS

    @model_validator(mode="before")
    @classmethod
    def _host_is_called_like_the_node(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and not raw.get("host"):
            return {**raw, "host": raw.get("name", "")}
        return raw


class Person(Model):
    """Somebody of the hospital who writes tickets and can be asked. ``voice`` tells an author how they speak, ``at``
    the nodes they sit at, where they look and try when they are asked to."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Field(min_length=1, max_length=64)
    job: str = Field(min_length=1, max_length=64)
    voice: str = Field(min_length=1, max_length=400)
    extension: str = ""
    at: tuple[str, ...] = ()


class BackgroundPlan(Model):
    """The quiet flow of ordinary exams. ``every_s`` is the mean time between two of them, over the whole department;
    ``images`` bounds the images of one exam."""

    enabled: bool = True
    every_s: float = Field(45.0, ge=1, le=86400)
    images: tuple[int, int] = (1, 3)


class HistoryPlan(Model):
    """The patients of earlier years in ``node``. ``variants`` is how many different histories there are: labs of many
    seeds share them, so that most labs find theirs in the cache. ``images`` bounds the images of one study."""

    node: str = ""
    patients: int = Field(0, ge=0, le=10000)
    images: tuple[int, int] = (1, 3)
    variants: int = Field(4, ge=1, le=1000)


class Site(Model):
    """A declared department."""

    slug: str = Field("", pattern=r"^$|" + SLUG_PATTERN)
    title: str = Field(min_length=1, max_length=80)
    about: str = ""
    institution: str = ""
    plan: AddressPlan
    nodes: tuple[SiteNode, ...] = Field(min_length=1)
    people: tuple[Person, ...] = ()
    background: BackgroundPlan = BackgroundPlan()
    history: HistoryPlan = HistoryPlan()

    @field_validator("nodes", "people")
    @classmethod
    def _no_name_twice(cls, items: tuple[SiteNode, ...] | tuple[Person, ...]) -> Any:
        names = [item.name if isinstance(item, SiteNode) else item.id for item in items]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} occurs twice; each must have its own name")
        return items

    @property
    def domain(self) -> str:
        """The department's DNS domain."""
        return self.plan.domain

    def node(self, name: str) -> SiteNode:
        """The node called ``name``, or NotFoundError with the names there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise NotFoundError(
            f"There is no node {name!r} in {self.title}.", f"Nodes: {', '.join(node.name for node in self.nodes)}."
        )

    def person(self, person_id: str) -> Person:
        """The person with that id, or NotFoundError with the ids there are."""
        for person in self.people:
            if person.id == person_id:
                return person
        raise NotFoundError(
            f"There is no person {person_id!r} in {self.title}.",
            f"People: {', '.join(person.id for person in self.people)}.",
        )


def sites_folder() -> Path:
    """Where the sites that come with the product lie."""
    return Path(next(iter(scenarios.__path__))) / "sites"


def site_slugs(folder: Path | None = None) -> tuple[str, ...]:
    """The slugs of all sites in ``folder``, in order of the alphabet."""
    return tuple(sorted(path.stem for path in (folder or sites_folder()).glob("*.toml")))


def load_site(slug: str, folder: Path | None = None) -> Site:
    """The site called ``slug``, with its AE tables filled in. Errors name the file, the key and the mend."""
    place = folder or sites_folder()
    if slug not in site_slugs(place):
        raise NotFoundError(f"There is no site {slug!r}.", f"Sites: {', '.join(site_slugs(place)) or 'none'}.")
    return read_site(place / f"{slug}.toml")


def read_site(path: Path) -> Site:
    """Read one site file. Its name without the suffix is the slug."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise BadInputError(f"{path.name}: this is no TOML: {wrong}.", "Mend the line it names.") from wrong
    try:
        return with_ae_tables(Site.model_validate({"slug": path.stem, **raw}))
    except ValidationError as wrong:
        raise explain_validation(wrong, path.name) from wrong


def with_ae_tables(site: Site) -> Site:
    """A copy in which ``knows`` of every node has become lines of its AE table. Unknown names are left to the check."""
    return site.model_copy(update={"nodes": tuple(_with_ae_table(site, node) for node in site.nodes)})


def _with_ae_table(site: Site, node: SiteNode) -> SiteNode:
    written = list(node.config.get("remotes", []))
    names = {row.get("name") for row in written if isinstance(row, dict)}
    known = {other.name: other for other in site.nodes}
    addresses = {host.name: str(host.address) for host in site.plan.hosts}
    lines = [
        {
            "name": other.name,
            "ae_title": other.config.get("ae_title", ""),
            "host": addresses.get(other.host, other.host)
            if node.knows_by is Belief.ADDRESS
            else f"{other.host.lower()}.{site.domain}",
            "port": other.config.get("port", 0),
            "description": other.title,
        }
        for other in (known[name] for name in node.knows if name in known and name not in names)
    ]
    return node.model_copy(update={"config": {**node.config, "remotes": [*written, *lines]}})
