"""Views of a lab's event log for people who learn: what happened, what it meant, what it was practice for.

It imports only model and events, so that a log can be read long after its lab is gone.
"""
