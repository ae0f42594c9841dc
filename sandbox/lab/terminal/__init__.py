"""A terminal on a node: the commands that administrators know, run in the lab as that node sees its network.

Nothing is ever executed on the real machine. A line is read by a parser of our own (``line``), each command is a file
of ``programs``, what it prints goes to a bounded ``Screen``, and the files it sees are those of ``disk``. The DICOM
commands say what dcmtk 3.6 says, word for word where it tells something, and end with its exit statuses.
"""
