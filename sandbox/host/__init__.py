"""Where lab processes run: starting, watching and ending them, and what one such process does.

``host`` says what a host is, ``local`` is the one on this machine, ``process`` the body of a lab's process, ``preload``
the parent from which labs are forked. Rule: whatever ends, the labs end with it, and a lab that dies comes back.
"""
