"""Headers of stored objects: one element by element, and two copies beside each other with what differs first."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox.model.header_view import HeaderLine
from web.context import lab_client
from web.pages.common import node_page, wants_part

pages = Blueprint("headers", __name__, url_prefix="/labs/<lab_id>/nodes/<node>/instances/<sop_instance>")


@pages.get("/header")
def header(lab_id: str, node: str, sop_instance: str) -> str:
    words = request.args.get("q", "").strip()[:64]
    found = lab_client(lab_id).header(node, sop_instance)
    lines = matching(found.lines, words)
    if wants_part():
        return render_template("headers/lines.html", lines=lines, total=len(found.lines), q=words)
    return node_page(
        lab_id,
        node,
        "headers/header.html",
        tab="studies",
        header=found,
        lines=lines,
        total=len(found.lines),
        q=words,
        sop_instance=sop_instance,
    )


@pages.get("/compare")
def compare(lab_id: str, node: str, sop_instance: str) -> str | Response:
    """This object against another: the same one on another node, or any other."""
    other = request.args.get("with_node", "").strip()[:64]
    instance = request.args.get("with_instance", "").strip()[:64] or sop_instance
    if not other:
        return redirect(url_for(".header", lab_id=lab_id, node=node, sop_instance=sop_instance))
    found = lab_client(lab_id).compared((node, sop_instance), (other, instance))
    return node_page(
        lab_id,
        node,
        "headers/compare.html",
        tab="studies",
        comparison=found,
        sop_instance=sop_instance,
        with_node=other,
        with_instance=instance,
    )


def matching(lines: Sequence[HeaderLine], words: str) -> tuple[HeaderLine, ...]:
    """The lines in which the words are, by tag, keyword, name or value; within sequences with the items around them."""
    if not words:
        return tuple(lines)
    wanted = words.lower()
    bare = wanted.strip("()").replace(" ", "")
    found = {
        line.path
        for line in lines
        if wanted in f"{line.keyword} {line.name} {line.value} {line.vr}".lower() or (bare and bare in line.tag.lower())
    }
    around = {path[: place + 1] for path in found for place, letter in enumerate(path) if letter == "]"}
    around |= {path.rpartition("[")[0] for path in around}
    return tuple(line for line in lines if line.path in found or line.path in around)
