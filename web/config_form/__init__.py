"""A node's configuration as a form: drawn from the JSON schema of its class, read back, and turned into one command."""
