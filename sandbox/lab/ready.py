"""Ready means that every node which is meant to run answers: not that it was started, but that it takes connections.

The test is a connection to each node's own published port, which the node sees as one that never became an association
were it not closed before anything is read; so it is made without touching the node: the listener's state is asked.
"""
