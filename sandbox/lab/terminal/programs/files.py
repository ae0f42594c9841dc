"""The everyday commands for files: ls, cd, pwd, cat, less, cp, rm. All of it on the node's virtual disk."""

from __future__ import annotations

import posixpath
import shutil
from typing import ClassVar

from sandbox.lab.terminal.disk import WORK, DiskError, Entry, File
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS, Program
from sandbox.lab.terminal.shell import Shell


class Ls(Program):
    """List files. Every node has its log, its configuration, its images and a place to work in."""

    name = "ls"
    aliases: ClassVar[tuple[str, ...]] = ("dir",)
    usage: ClassVar[str] = "[file...]"
    options: ClassVar[tuple[Option, ...]] = (
        Option(("-l",), "with size in bytes"),
        Option(("-a",), "all (nothing is hidden here)"),
        Option(("-h",), "sizes that people can read"),
        Option(("-1",), "one a line (always so in this terminal)"),
    )
    examples: ClassVar[tuple[str, ...]] = ("ls -l images", "ls log")

    def run(self, shell: Shell, given: Arguments) -> int:
        status = SUCCESS
        for typed in given.rest or (".",):
            try:
                entry = shell.disk.find(shell.path(typed))
            except DiskError as wrong:
                shell.print(f"ls: cannot access '{typed[:200]}': {wrong}")
                status = FAILURE
                continue
            if len(given.rest) > 1 and not isinstance(entry, File):
                shell.print(f"{typed}:")
            names = {typed: entry} if isinstance(entry, File) else entry()
            if not names:
                shell.print("(nothing)")
            for name, child in names.items():
                shell.print(_listed(name, child, given))
        return status


class Cd(Program):
    """Go to another directory; without one, back to the beginning."""

    name = "cd"
    usage: ClassVar[str] = "[directory]"

    def run(self, shell: Shell, given: Arguments) -> int:
        if len(given.rest) > 1:
            raise UsageError("too many arguments")
        path = shell.path(given.rest[0] if given.rest else "~")
        try:
            if isinstance(shell.disk.find(path), File):
                raise DiskError("Not a directory")
        except DiskError as wrong:
            shell.print(f"cd: {given.rest[0][:200]}: {wrong}")
            return FAILURE
        shell.directory = path
        return SUCCESS


class Pwd(Program):
    """Say in which directory one is."""

    name = "pwd"

    def run(self, shell: Shell, given: Arguments) -> int:  # noqa: ARG002
        shell.print(shell.directory)
        return SUCCESS


class Cat(Program):
    """Print a text file: cat log/node.log, cat config/running.json."""

    name = "cat"
    aliases: ClassVar[tuple[str, ...]] = ("less", "more", "type")
    usage: ClassVar[str] = "file..."
    options: ClassVar[tuple[Option, ...]] = (Option(("-n",), "with the numbers of lines"),)
    is_filter: ClassVar[bool] = True
    examples: ClassVar[tuple[str, ...]] = ("cat log/node.log | tail -20", "cat config/running.json | grep ae_title")

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest and shell.piped is None:
            raise UsageError("say which file, such as log/node.log")
        status, number = SUCCESS, 0
        for typed in given.rest or ("-",):
            try:
                lines = shell.piped or [] if typed == "-" and shell.piped is not None else shell.lines_of(typed)
            except DiskError as wrong:
                shell.print(f"cat: {typed[:200]}: {wrong}")
                status = FAILURE
                continue
            for line in lines:
                number += 1
                shell.print(f"{number:>6}  {line}" if "-n" in given else line)
        return status


class Cp(Program):
    """Copy a file to /work, the one place where files can be changed."""

    name = "cp"
    aliases: ClassVar[tuple[str, ...]] = ("copy",)
    usage: ClassVar[str] = "file work/name"
    examples: ClassVar[tuple[str, ...]] = ("cp images/*/*/*0001.dcm work/copy.dcm",)

    def run(self, shell: Shell, given: Arguments) -> int:
        if len(given.rest) < 2:
            raise UsageError("say what to copy, and where to: cp images/.../one.dcm work/copy.dcm")
        *sources, target = given.rest
        aim = shell.path(target)
        into = aim == f"/{WORK}"
        # Several files for one name happen with wildcards: the first is what is copied.
        for typed in sources if into else sources[:1]:
            try:
                found = shell.open(typed)
                if found.is_secret:
                    raise DiskError("Permission denied")
                name = posixpath.basename(shell.path(typed)) if into else ""
                place = shell.disk.writable(posixpath.join(aim, name) if into else aim)
                if found.path is not None:
                    shutil.copyfile(found.path, place)
                else:
                    place.write_text(found.text(), encoding="utf-8")
            except DiskError as wrong:
                shell.print(f"cp: cannot copy '{typed[:200]}' to '{target[:200]}': {wrong}")
                return FAILURE
            except (OSError, shutil.SameFileError) as wrong:
                shell.print(f"cp: cannot copy '{typed[:200]}': {getattr(wrong, 'strerror', None) or 'same file'}")
                return FAILURE
        if not into and len(sources) > 1:
            shell.print(f"cp: {len(sources)} files match; the first was copied to {aim}. To copy all: cp … work")
        return SUCCESS


class Rm(Program):
    """Remove files of /work."""

    name = "rm"
    aliases: ClassVar[tuple[str, ...]] = ("del",)
    usage: ClassVar[str] = "work/name..."
    options: ClassVar[tuple[Option, ...]] = (Option(("-f",), "nothing is said of what is not there"),)

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest:
            raise UsageError("say which file of /work")
        status = SUCCESS
        for typed in given.rest:
            path = shell.path(typed)
            try:
                found = shell.disk.file(path)
                if posixpath.dirname(path) != f"/{WORK}" or found.path is None:
                    raise DiskError(f"Read-only file system (only files of /{WORK} can be removed)")
                found.path.unlink()
            except (DiskError, OSError) as wrong:
                if "-f" not in given:
                    shell.print(f"rm: cannot remove '{typed[:200]}': {wrong}")
                    status = FAILURE
        return status


def _listed(name: str, entry: Entry, given: Arguments) -> str:
    if not isinstance(entry, File):
        return f"{'d':<1}{'':>11}  {name}/" if "-l" in given else f"{name}/"
    if "-l" not in given:
        return name
    size = _readable(entry.size) if "-h" in given else str(entry.size)
    return f"-{size:>11}  {name}"


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
