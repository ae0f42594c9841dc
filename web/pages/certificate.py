"""The certificate of completion: what was actually done, to print and to keep."""

from __future__ import annotations

from flask import Blueprint

pages = Blueprint("certificate", __name__, url_prefix="/certificate")
