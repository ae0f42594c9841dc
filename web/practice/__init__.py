"""Practising alone: modes, the learning path, mastery, when to practise again, keeping and carrying progress.

Rules are pure functions of what somebody did (``record.Practised``) and of a moment handed in; only ``keeper`` knows
the console's database. No Flask here but in ``guard`` and ``screen``.
"""
