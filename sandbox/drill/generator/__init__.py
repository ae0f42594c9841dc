"""Makes fresh drills: causes composed with the paths of a site, kept only when the verifier has proven them.

``ways`` finds the paths an exam takes in a site, ``causes`` is the table of what can be wrong on one, ``compose``
writes the scenario, ``looks`` takes the observations that tell causes apart, ``generate`` keeps what is proven and
counts the fewest looks and acts that solve it. A new cause is one entry of the table. Rule: nothing here is believed
that was not tried in a lab.
"""
