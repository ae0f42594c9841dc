"""The command line, ``pacs-sandbox``: one file a group of commands, loaded when it is used.

``--help`` must be quick, so nothing here imports what a command needs; each command does that when it runs. Errors that
a person can mend are printed as a sentence and the mend, with exit status 2 and no traceback.
"""

from __future__ import annotations

from sandbox.cli.groups import LazyGroup, guarded

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("sandbox.cli.up:up", "Open the console: the department in your browser."),
    "lab": ("sandbox.cli.lab:lab", "Run one lab in the foreground; list the labs that run."),
    "archive": ("sandbox.cli.archive:archive", "Run the mini PACS alone."),
    "import": ("sandbox.cli.importing:import_", "Import a folder of DICOM files as patients of new labs."),
    "scenario": ("sandbox.cli.scenario:scenario", "List, show, lint, prove and write scenarios."),
    "site": ("sandbox.cli.site:site", "List and lint sites."),
    "echo": ("sandbox.cli.dicom:echo", "C-ECHO a node of a running lab, or any AE."),
    "find": ("sandbox.cli.dicom:find", "C-FIND on a node of a running lab, or on any AE."),
    "move": ("sandbox.cli.dicom:move", "C-MOVE from a node of a running lab, or from any AE."),
    "send": ("sandbox.cli.dicom:send", "C-STORE files or a study to a node of a running lab, or to any AE."),
    "user": ("sandbox.cli.user:user", "Accounts for a console that others can reach."),
    "doctor": ("sandbox.cli.doctor:doctor", "Say what is missing on this machine and how to get it."),
    "reference": ("sandbox.cli.reference:reference", "Write the reference pages of the documentation."),
}
"""Every command: where it is, and its line in ``--help``."""

cli = LazyGroup(
    name="pacs-sandbox",
    commands_table=COMMANDS,
    help="PACS Sandbox: a live imaging department of real DICOM nodes to break, investigate and mend.",
)


def main() -> None:
    """The entry point of ``pacs-sandbox``."""
    guarded(cli)
