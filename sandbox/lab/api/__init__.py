"""A lab's HTTP API: the only way in for the console, the command line and outside automation.

``routes`` is the table from which both the application and the OpenAPI document are made; ``reads`` answers it;
``app`` is the only Flask here and ``server`` puts it on a socket.
"""
