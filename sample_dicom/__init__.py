"""The patients, orders and images a department is filled with: made from a seed, or imported from real files.

Everything here is a pure function of its seed: the same seed gives the same bytes. It imports only sandbox.model.
"""
