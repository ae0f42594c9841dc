"""dcmdump: what stands in a DICOM file, as dcmtk's prints it."""

from __future__ import annotations

from typing import ClassVar

from sandbox.archive.part10 import NotPart10Error, read_meta
from sandbox.lab.terminal.dcmtk import GENERAL, DcmtkProgram
from sandbox.lab.terminal.disk import DiskError
from sandbox.lab.terminal.dump import SYNTAXES, DumpError, Element, Printer, encodings_of, walk
from sandbox.lab.terminal.keys import KeyFormatError, tag_of
from sandbox.lab.terminal.options import Arguments, Option, UsageError
from sandbox.lab.terminal.program import FAILURE, SUCCESS
from sandbox.lab.terminal.shell import Shell

_META = 132
_EXPLICIT = "1.2.840.10008.1.2.1"
MOST_BYTES = 64 << 20


class DcmDump(DcmtkProgram):
    """Print what stands in DICOM files, element by element. Only +P PatientID, for one element and all its places."""

    name = "dcmdump"
    purpose: ClassVar[str] = "Dump DICOM file and data set"
    usage: ClassVar[str] = "dcmfile-in..."
    options: ClassVar[tuple[Option, ...]] = (
        *GENERAL,
        Option(("+P", "--search"), "print the textual dump of tag t (several times for several)", ("tag",)),
        Option(("+s", "--search-all"), "print all instances of searched tags (default)"),
        Option(("-s", "--search-first"), "only print first instance of searched tags"),
        Option(("+L", "--print-all"), "print long tag values completely"),
        Option(("-L", "--print-short"), "print long tag values shortened (default)"),
        Option(("-M", "--load-short"), "do not load very long values (they are never loaded whole here)"),
        Option(("+F", "--print-filename"), "print header with filename for each input file"),
        Option(("-Un", "--no-uid-names"), "do not map well-known UID numbers to names"),
    )
    examples: ClassVar[tuple[str, ...]] = (
        "dcmdump +P PatientName +P 0020,000d images/*/*/*.dcm",
        "dcmdump work/copy.dcm | head -40",
    )

    def run(self, shell: Shell, given: Arguments) -> int:
        if not given.rest:
            raise UsageError("Missing parameter dcmfile-in")
        log = self.log(shell, given)
        try:
            wanted = tuple(tag_of(name) for name in given.values("+P"))
        except KeyFormatError as wrong:
            raise UsageError(f"Invalid value for option --search ({str(wrong).rpartition(' ')[2]})") from wrong
        status = SUCCESS
        for typed in given.rest:
            try:
                path = shell.open(typed).path
                if path is None:
                    raise DiskError("no DICOM file")
                data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else path.open("rb").read(MOST_BYTES)
            except (DiskError, OSError) as wrong:
                text = str(wrong) if isinstance(wrong, DiskError) else wrong.strerror or "Input/output error"
                log("error", f"dcmdump: {text}: reading file: {typed[:200]}")
                status = FAILURE
                continue
            if "+F" in given or (len(given.rest) > 1 and not wanted):
                shell.print(f"# dcmdump (1/1): {typed}" if "+F" in given else f"# {typed}")
            try:
                self._dump(shell, data, given, wanted)
            except (DumpError, NotPart10Error, ValueError) as wrong:
                text = str(wrong) if isinstance(wrong, DumpError) else "I/O suspension or premature end of stream"
                log("error", f"dcmdump: {text}: reading file: {typed[:200]}")
                status = FAILURE
        return status

    def _dump(self, shell: Shell, data: bytes, given: Arguments, wanted: tuple[int, ...]) -> None:
        meta = read_meta(data)
        printer = Printer(whole="+L" in given, map_uids="-Un" not in given)
        head = walk(data[_META : meta.offset], _EXPLICIT)
        if wanted:
            found = list(walk(memoryview(data)[meta.offset :], meta.transfer_syntax))
            for tag in wanted:
                hits = [one for one in (*walk(data[_META : meta.offset], _EXPLICIT), *found) if one.tag == tag]
                for element in hits[:1] if "-s" in given else hits:
                    shell.print(printer.line(_flat(element), _encodings_in(found)))
            return
        shell.print("\n# Dicom-File-Format\n\n# Dicom-Meta-Information-Header")
        shell.print("# Used TransferSyntax: Little Endian Explicit")
        for line in printer.lines(head):
            shell.print(line)
        named = SYNTAXES.get(meta.transfer_syntax, ("", f"Unknown Transfer Syntax: {meta.transfer_syntax}"))[1]
        shell.print(f"\n# Dicom-Data-Set\n# Used TransferSyntax: {named}")
        for line in printer.lines(walk(memoryview(data)[meta.offset :], meta.transfer_syntax)):
            shell.print(line)


def _flat(element: Element) -> Element:
    return Element(0, element.tag, element.vr, element.length, element.value, element.count)


def _encodings_in(elements: list[Element]) -> list[str]:
    return next((encodings_of(bytes(one.value)) for one in elements if one.tag == 0x00080005), ["iso8859"])
