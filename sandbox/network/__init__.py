"""The simulated network: address plan, names, firewall, real loopback connections between nodes, link faults, capture.

``network.Network`` is what others use; ``plan`` is what a site declares; ``capture`` and ``pcap`` keep and export what
was said. Rule: a simulated address is looked up here and never given to a real socket (see ``connect``).
"""
