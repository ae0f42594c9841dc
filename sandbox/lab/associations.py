"""Associations as people look at them: both ends put together from the events of the log, and told in words.

The index follows the log, each event being read once however often it is asked. What an association has become
("rejected") is told by its last word; the explanation names the setting that most likely matters.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.dicom.explain import explain_context, explain_rejection, explain_status, uid_name
from sandbox.events import kinds
from sandbox.events.event import Event
from sandbox.events.log import EventLog
from sandbox.lab.sentences import DIALLED, counted
from sandbox.model.association import AssociationFacts, ContextResult, ProposedContext, Side
from sandbox.model.view import AssociationView, ContextView, ExchangeView
