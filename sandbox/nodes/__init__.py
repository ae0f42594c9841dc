"""What each role of a department does: one file a role, on a common base.

``node.Node`` keeps lifecycle, configuration and log in one place; ``registry`` finds the roles by itself, so that a new
role is one new file. Rule: nodes speak to each other only through the network, never by calling one another.
"""
