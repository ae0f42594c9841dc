"""Scenario files and what is made of them: load, lint, stage, attempt, verify, scaffold.

A scenario is content (TOML and Markdown); everything it can ask for is a primitive of sandbox.faults or sandbox.checks,
or a command of sandbox.lab. Rule: nothing here knows a scenario by name.
"""
