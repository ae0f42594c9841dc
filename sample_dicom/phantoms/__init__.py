"""Anatomy drawn from numbers: one file per kind of picture, each a pure function of its seed.

A phantom draws one slice, view or frame at a time on a canvas in millimetres, so that any matrix size and any number
of slices cost no more memory than one. Nothing is burned in; who it is stands in the header alone.
"""
