"""What an administrator does to the archive beyond reading: one operation a file, none of which can lose data silently.

An operation is a frozen value that is run on the ``Bench``. Whatever it changes is one transaction of the index, with
its entry in the journal; files that it replaces or takes away lie in the bin until somebody empties it with a reason.
"""
