"""What in a site cannot work, found without starting it: dangling names, addresses without a host, wrong settings.

A site may hold a deliberate mistake only where a scenario puts it; so everything a site itself says must fit together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sandbox.lab.site import Site, SiteNode, read_site
from sandbox.model.base import explain_validation
from sandbox.model.config import NodeConfig
from sandbox.model.discovery import suggestion
from sandbox.model.errors import NotFoundError, SandboxError
from sandbox.model.problem import Problem
from sandbox.nodes.registry import role_class


def check_site_file(path: Path) -> list[Problem]:
    """Every problem of a site file, one that keeps it from being read among them."""
    try:
        site = read_site(path)
    except SandboxError as wrong:
        return [Problem(file=path.name, key="", sentence=wrong.sentence, mend=wrong.mend)]
    return check_site(site)


def check_site(site: Site) -> list[Problem]:
    """Every problem of a site; none means that a lab of it will come up and its nodes know each other rightly."""
    file = f"{site.slug or 'site'}.toml"
    return [
        Problem(file=file, key=key, sentence=sentence, mend=mend)
        for part in (_hosts, _nodes, _history, _people)
        for key, sentence, mend in part(site)
    ]


_Found = Iterator[tuple[str, str, str]]


def _hosts(site: Site) -> _Found:
    hosts = [host.name for host in site.plan.hosts]
    for node in site.nodes:
        if node.host not in hosts:
            yield (
                f"nodes.{node.name}.host",
                f"There is no host {node.host!r} in the plan.",
                suggestion(node.host, hosts),
            )
        elif node.host != node.name:
            yield (
                f"nodes.{node.name}.host",
                f"The host of {node.name} is {node.host}.",
                "A host is called like its node.",
            )


def _nodes(site: Site) -> _Found:
    names = [node.name for node in site.nodes]
    for node in site.nodes:
        for known in node.knows:
            if known not in names:
                yield f"nodes.{node.name}.knows", f"There is no node {known!r}.", suggestion(known, names)
        try:
            config = role_class(node.role).config_class.model_validate(node.config)
        except NotFoundError as wrong:
            yield f"nodes.{node.name}.role", wrong.sentence, wrong.mend
            continue
        except ValidationError as invalid:
            said = explain_validation(invalid, node.name)
            yield f"nodes.{node.name}.config", said.sentence, said.mend
            continue
        yield from _destinations(node, config)
        yield from _beliefs(site, node, config)


def _destinations(node: SiteNode, config: NodeConfig) -> _Found:
    """Every name that a setting takes from the AE table must be in it."""
    known = [remote.name for remote in config.remotes]
    settings: Any = config
    named = [("send_to", name) for name in getattr(settings, "send_to", ())]
    named += [("archive", settings.archive)] if getattr(settings, "archive", "") else []
    named += [(f"rules.{rule.name}", name) for rule in getattr(settings, "rules", ()) for name in rule.destinations]
    for key, name in named:
        if name not in known:
            place = f"nodes.{node.name}.config.{key}"
            yield place, f"{name!r} is not in the AE table of {node.name}.", suggestion(name, known)


def _beliefs(site: Site, node: SiteNode, config: NodeConfig) -> _Found:
    """A line that is named like a node must say what that node is."""
    records = site.plan.records()
    addresses = {host.name: str(host.address) for host in site.plan.hosts}
    for remote in config.remotes:
        other = next((each for each in site.nodes if each.name == remote.name), None)
        if other is None:
            continue
        key = f"nodes.{node.name}.config.remotes.{remote.name}"
        title, port = other.config.get("ae_title"), other.config.get("tls_port" if remote.tls else "port", 0)
        if remote.ae_title != title:
            yield f"{key}.ae_title", f"{other.name} is {title}, not {remote.ae_title}.", f"Write {title}."
        if remote.port != port:
            yield f"{key}.port", f"{other.name} listens on {port}, not {remote.port}.", f"Write {port}."
        if records.get(remote.host.lower(), remote.host) != addresses.get(other.host):
            yield f"{key}.host", f"{remote.host} does not lead to {other.name}.", f"Write {addresses.get(other.host)}."


def _history(site: Site) -> _Found:
    names = [node.name for node in site.nodes]
    if site.history.patients and site.history.node not in names:
        yield "history.node", f"There is no node {site.history.node!r}.", suggestion(site.history.node, names)
    ids = {host.vlan for host in site.plan.hosts}
    for vlan in site.plan.vlans:
        if vlan.name not in ids:
            yield f"plan.vlans.{vlan.name}", f"Nobody is in VLAN {vlan.name}.", "Leave it out, or put a host in."


def _people(site: Site) -> _Found:
    names = [node.name for node in site.nodes]
    for person in site.people:
        for place in person.at:
            if place not in names:
                yield f"people.{person.id}.at", f"There is no node {place!r}.", suggestion(place, names)
