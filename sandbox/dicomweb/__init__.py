"""DICOMweb (PS3.18) over an archive: QIDO-RS, WADO-RS and STOW-RS, and WADO-URI for older viewers.

``app`` is the Flask application and its doors (token, Host, origins); ``queries``, ``retrieve``, ``frames``,
``rendered``, ``storing`` and ``wado_uri`` each serve one transaction; ``server`` puts it on a socket. What is stored
comes in by ``Archive.store``, as over C-STORE, and nothing here knows how the archive keeps it.
"""
