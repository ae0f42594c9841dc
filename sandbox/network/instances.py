"""Counts the images that pass in one direction of a connection, as a firewall that inspects DICOM would: a C-STORE
request's data set that has passed to its last fragment is one (PS3.7 9.1.1, PS3.8 9.3.5).

It is fed the bytes as they come, in pieces of any size, and looks at headers and command sets only. What is encrypted
or no DICOM is never counted.
"""

from __future__ import annotations

import struct

_PDU = struct.Struct(">BxL")
_PDV = struct.Struct(">LBB")
_ELEMENT = struct.Struct("<HHL")
_PDU_TYPES = range(0x01, 0x08)
_P_DATA_TF = 0x04
_C_STORE_RQ = 0x0001
_COMMAND_FIELD = (0x0000, 0x0100)
_IS_COMMAND, _IS_LAST = 1, 2
# A command set is a few hundred bytes; more than this is none.
_LONGEST_COMMAND = 1 << 16


class InstanceCounter:
    """One direction. ``begun`` counts C-STORE requests whose command has passed, ``passed`` those that have whole."""

    def __init__(self) -> None:
        self.begun = 0
        self.passed = 0
        self._is_dicom = True
        self._head = bytearray()
        self._pdu_left = 0
        self._skip = 0
        self._fragment_left = 0
        self._control = 0
        self._command = bytearray()
        self._is_store = False

    def feed(self, piece: bytes) -> None:
        """Take note of the next bytes of the stream."""
        view = memoryview(piece)
        while view and self._is_dicom:
            if self._skip:
                view = view[self._skipped(len(view)) :]
            elif self._fragment_left:
                view = view[self._fragment(view) :]
            elif self._pdu_left:
                view = view[self._header(view, _PDV.size) :]
                if len(self._head) == _PDV.size:
                    self._begin_fragment(*_PDV.unpack(self._head))
            else:
                view = view[self._header(view, _PDU.size) :]
                if len(self._head) == _PDU.size:
                    self._begin_pdu(*_PDU.unpack(self._head))

    def _header(self, view: memoryview, size: int) -> int:
        taken = min(size - len(self._head), len(view))
        self._head += view[:taken]
        return taken

    def _begin_pdu(self, kind: int, length: int) -> None:
        self._head.clear()
        if kind not in _PDU_TYPES:
            self._is_dicom = False
        elif kind == _P_DATA_TF:
            self._pdu_left = length
        else:
            self._skip = length

    def _begin_fragment(self, length: int, context: int, control: int) -> None:
        del context
        self._head.clear()
        # The item's length counts the two bytes after it.
        self._pdu_left = max(0, self._pdu_left - 4 - length)
        self._fragment_left = max(0, length - 2)
        self._control = control
        if not self._fragment_left:
            self._end_fragment()

    def _skipped(self, available: int) -> int:
        taken = min(self._skip, available)
        self._skip -= taken
        return taken

    def _fragment(self, view: memoryview) -> int:
        taken = min(self._fragment_left, len(view))
        if self._control & _IS_COMMAND and len(self._command) < _LONGEST_COMMAND:
            self._command += view[:taken]
        self._fragment_left -= taken
        if not self._fragment_left:
            self._end_fragment()
        return taken

    def _end_fragment(self) -> None:
        if not self._control & _IS_LAST:
            return
        if self._control & _IS_COMMAND:
            self._is_store = _command_field(bytes(self._command)) == _C_STORE_RQ
            self._command.clear()
            self.begun += self._is_store
        elif self._is_store:
            self._is_store = False
            self.passed += 1


def _command_field(command: bytes) -> int | None:
    """The value of (0000,0100) in a command set, which is always Implicit VR Little Endian (PS3.7 6.3.1)."""
    position = 0
    while position + _ELEMENT.size <= len(command):
        group, element, length = _ELEMENT.unpack_from(command, position)
        position += _ELEMENT.size
        if (group, element) == _COMMAND_FIELD and length == 2:
            return int.from_bytes(command[position : position + 2], "little")
        position += length
    return None
