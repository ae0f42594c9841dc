"""DICOM over TCP for the whole department: the only package that imports pynetdicom.

``contract`` is the border: values in, values out. ``server`` accepts and ``client`` calls, both on the synchronous DUL
of ``dul``, with pynetdicom's negotiation, primitives and DIMSE-N service classes on top. ``explain`` turns the
protocol's numbers into words, ``syntaxes`` holds the lists of what a node may support, ``plain`` does without the
simulated network.
"""
