"""Claims about what the department does, and the real operations that prove them: one probe a file.

A check performs what a user would do, from the real node's identity and AE table, and says pass, fail or
could-not-tell, with event numbers as evidence and one sentence a trainee understands. Rules: behaviour is judged, never
configuration; traffic of a check has the actor ``probe`` and is cleaned up everywhere; waiting is for events with a
deadline, and ends early when the outcome is certain. A new check is one new module here; ``registry`` finds it.
"""
