"""Reversible causes: one primitive a file, each with typed parameters, ``apply`` → undo, and its explanation.

A new fault is one new module in this package with one subclass of ``Fault`` (and its test); ``registry`` finds it by
itself. Rules: a fault acts on nodes, network or data as an accident would, never on screens or on checks; it is live
within a second; its undo leaves no trace; it never shares a name with the symptom it causes.
"""
