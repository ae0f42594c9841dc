"""``pacs-sandbox echo|find|move|send``: against a node of a running lab or any AE, from outside or from a node.

TARGET is a node of the running lab ("ARCHIVE") or an AE written out ("AET@HOST:PORT"). With --from the lab's own node
does it, with its identity and its AE table; without, this program does it from outside, as dcmtk would.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sandbox.cli.home import home_option
from sandbox.cli.output import show
from sandbox.model.errors import BadInputError, NotFoundError

if TYPE_CHECKING:
    from sandbox.cli.outside import OutsideTools
    from sandbox.dicom.contract import Peer

CALLING = "PACSSANDBOX"
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def _common(function: FunctionT) -> FunctionT:
    """The options that all four have."""
    for option in (
        click.option("--from", "source", default="", metavar="NODE", help="The lab's node that does it."),
        click.option("--lab", "lab_id", default="", help="Which running lab.  [default: the only one]"),
        click.option("--calling", default=CALLING, show_default=True, help="AE title to call as, without --from."),
        click.option("--json", "as_json", is_flag=True, help="For machines."),
        home_option,
    ):
        function = option(function)
    return function


def _keys(function: FunctionT) -> FunctionT:
    """The options of a query."""
    for option in (
        click.option("--level", default="STUDY", show_default=True, help="PATIENT, STUDY, SERIES or IMAGE."),
        click.option("-k", "--key", "keys", multiple=True, metavar="KEYWORD=VALUE", help="Such as PatientName=SMI*."),
    ):
        function = option(function)
    return function


@click.command()
@click.argument("target")
@_common
def echo(target: str, source: str, lab_id: str, calling: str, as_json: bool, home: Path) -> None:
    """C-ECHO TARGET: a node of a running lab, or AET@HOST:PORT."""
    if source:
        show(_from_node(home, lab_id, "tool.echo", source, target), as_json)
        return
    show(_outside(calling).echo(_peer(home, lab_id, target)), as_json)


@click.command()
@click.argument("target")
@_keys
@_common
def find(
    target: str,
    level: str,
    keys: tuple[str, ...],
    source: str,
    lab_id: str,
    calling: str,
    as_json: bool,
    home: Path,
) -> None:
    """C-FIND on TARGET: a node of a running lab, or AET@HOST:PORT."""
    wanted = _parsed(keys)
    if source:
        show(_from_node(home, lab_id, "tool.find", source, target, level=level.upper(), keys=wanted), as_json)
        return
    show(_outside(calling).find(_peer(home, lab_id, target), level.upper(), wanted), as_json)


@click.command()
@click.argument("target")
@click.option("--to", "destination", required=True, help="The AE title to send to, as TARGET knows it.")
@_keys
@_common
def move(
    target: str,
    destination: str,
    level: str,
    keys: tuple[str, ...],
    source: str,
    lab_id: str,
    calling: str,
    as_json: bool,
    home: Path,
) -> None:
    """C-MOVE from TARGET to another AE, which TARGET must know."""
    wanted = _parsed(keys)
    if source:
        more = {"destination": destination, "level": level.upper(), "keys": wanted}
        show(_from_node(home, lab_id, "tool.move", source, target, **more), as_json)
        return
    show(_outside(calling).move(_peer(home, lab_id, target), destination, level.upper(), wanted), as_json)


@click.command()
@click.argument("target")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--study", default="", help="With --from: Study Instance UID of a study on that node's own disk.")
@_common
def send(
    target: str,
    files: tuple[Path, ...],
    study: str,
    source: str,
    lab_id: str,
    calling: str,
    as_json: bool,
    home: Path,
) -> None:
    """C-STORE to TARGET: files and folders from here, or with --from and --study what a node holds."""
    if source:
        if files or not study:
            raise BadInputError("A node sends what it holds.", "Name a study with --study, and no files.")
        if "@" in target:
            raise BadInputError("A node sends by its AE table.", f"Name a line of the AE table of {source}.")
        from sandbox.cli.running import running_lab

        sent = running_lab(home, lab_id).command("exam.send", {"node": source, "study": study, "to": target})
        show(sent, as_json)
        return
    if not files:
        raise BadInputError("There is nothing to send.", "Name files or folders.")
    from sandbox.cli.outside import part10_files

    show(_outside(calling).send_files(_peer(home, lab_id, target), part10_files(files)), as_json)


def _from_node(home: Path, lab_id: str, command: str, source: str, target: str, **more: Any) -> Any:
    from sandbox.cli.running import running_lab

    where: dict[str, Any] = {"remote": target}
    if "@" in target:
        peer = _written_out(target)
        where = {"ae_title": peer.ae_title, "host": peer.host, "port": peer.port}
    return running_lab(home, lab_id).command(command, {"node": source, **where, **more})


def _peer(home: Path, lab_id: str, target: str) -> Peer:
    """The AE that TARGET names, at its real address."""
    if "@" in target:
        return _written_out(target)
    from sandbox.cli.running import running_lab
    from sandbox.dicom.contract import Peer

    nodes = {node.name: node for node in running_lab(home, lab_id).view().nodes}
    if target not in nodes:
        raise NotFoundError(f"The lab has no node {target!r}.", f"Nodes: {', '.join(nodes)}. Or write AET@HOST:PORT.")
    host, _, port = nodes[target].published.rpartition(":")
    if not host:
        raise NotFoundError(f"{target} has never listened.", "Start it first.")
    return Peer(nodes[target].ae_title, host, int(port))


def _written_out(text: str) -> Peer:
    from sandbox.dicom.contract import Peer
    from sandbox.model.ae_title import ae_title

    title, _, place = text.partition("@")
    host, colon, port = place.rpartition(":")
    if not (title and colon and host and port.isdigit() and 0 < int(port) <= 65535):
        raise BadInputError(f"{text!r} is no AE.", "Write it as AET@HOST:PORT, for example ARCHIVE@127.0.0.1:11112.")
    return Peer(ae_title(title), host.strip("[]"), int(port))


def _parsed(keys: tuple[str, ...]) -> dict[str, str]:
    parsed: dict[str, str] = {}
    for key in keys:
        keyword, equals, value = key.partition("=")
        if not equals:
            raise BadInputError(f"{key!r} is no key.", "Write it as KEYWORD=VALUE, for example PatientID=0012345.")
        parsed[keyword] = value
    return parsed


def _outside(calling: str) -> OutsideTools:
    from sandbox.cli.outside import OutsideTools
    from sandbox.model.ae_title import ae_title

    return OutsideTools(ae_title(calling))
