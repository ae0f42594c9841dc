"""The terminal: a line in, its output as text. With JavaScript it behaves as one; without, it is a form and its answer.

What a line does is the lab's to say (the command terminal.run); here it is only asked for and shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, render_template, request

from sandbox.lab.terminal.line import MOST_CHARACTERS
from sandbox.model.errors import SandboxError
from sandbox.model.terminal_view import TerminalOutput
from sandbox.model.view import AeTable, CommandResult
from web.context import lab_client
from web.forms import for_header
from web.pages.common import give, lab_page, node_of

pages = Blueprint("terminal", __name__, url_prefix="/labs/<lab_id>/terminal")


@dataclass(frozen=True)
class Ran:
    """A line that was run and what came of it. ``prompt`` is where it was typed."""

    prompt: str
    line: str
    output: TerminalOutput
    association: str = ""
    node: str = ""


@pages.get("/")
def terminal(lab_id: str) -> str:
    return _page(lab_id, request.args.get("node", ""), "/", None)


@pages.post("/")
def run(lab_id: str) -> str | Response:
    """Run a line. A script gets what came of it as a piece of a page, everybody else the page with it."""
    form = request.form
    node, directory, line = form.get("node", ""), form.get("directory", "/"), form.get("line", "")
    result = _result(lab_id, node, directory, line)
    output = result.terminal or TerminalOutput(text=result.sentence, status=0 if result.ok else 1, directory=directory)
    ran = Ran(f"{node}:{directory}", line[:MOST_CHARACTERS], output, result.association, node)
    if request.headers.get("X-Terminal") != "script":
        return _page(lab_id, node, output.directory, ran)
    answer = Response(render_template("parts/terminal_ran.html", lab_id=lab_id, ran=ran))
    # Directories are names of the virtual disk, of plain letters; but a line that was refused has what was sent.
    answer.headers["X-Directory"] = for_header(output.directory)
    answer.headers["X-Clears"] = "1" if output.clears else "0"
    return answer


@pages.post("/cancel")
def cancel(lab_id: str) -> Response:
    """Stop the line that runs, as Ctrl-C does."""
    return jsonify(stopped=give(lab_id, "terminal.cancel", run=request.form.get("run", "")).ok)


@pages.get("/now")
def now(lab_id: str) -> Response:
    """What a line has printed so far."""
    found = lab_client(lab_id).terminal(request.args["node"], request.args["run"])
    return jsonify(text=found.text, running=found.status is None)


@pages.get("/words")
def words(lab_id: str) -> Response:
    """What Tab can complete."""
    line, directory = request.args.get("line", "")[:MOST_CHARACTERS], request.args.get("directory", "/")
    found = lab_client(lab_id).terminal_words(request.args["node"], line, directory)
    return jsonify(start=found.start, words=found.words)


def _result(lab_id: str, node: str, directory: str, line: str) -> CommandResult:
    """What came of a line; that it cannot be run at all is told in the terminal, too."""
    try:
        return give(
            lab_id, "terminal.run", node=node, line=line, directory=directory, run=request.form.get("run", "")[:40]
        )
    except SandboxError as wrong:
        return CommandResult(ok=False, sentence=str(wrong))


def _page(lab_id: str, wanted: str, directory: str, ran: Ran | None) -> str:
    lab = lab_client(lab_id).lab()
    node = node_of(lab, wanted or lab.nodes[0].name)
    table = lab_client(lab_id).ae_table(node.name)
    return lab_page(
        lab_id,
        "lab/terminal.html",
        lab,
        at=node,
        directory=directory,
        ran=ran,
        examples=examples(table),
        longest=MOST_CHARACTERS,
    )


def examples(table: AeTable) -> tuple[str, ...]:
    """Lines to try from a node, with the names of those in its AE table."""
    own, remotes = table.ae_title, table.remotes
    lines = ["help"]
    for remote in remotes[:2]:
        lines.append(f"echoscu -v -aet {own} -aec {remote.ae_title} {remote.host} {remote.port}")
    if remotes:
        lines += [f"ping {remotes[0].host}", f"nc -vz {remotes[0].host} {remotes[0].port}"]
    archive = next((remote for remote in remotes if remote.name.upper().startswith("ARCHIVE")), None)
    if archive is not None:
        lines.append(
            f"findscu -S -aet {own} -aec {archive.ae_title} -k QueryRetrieveLevel=STUDY -k PatientName "
            f"-k StudyDate {archive.host} {archive.port}"
        )
    return (*lines, "tail -20 log/node.log", "grep -i reject log/node.log", "ls -l images", "ss -tlnp")
