"""The commands of the terminal, one file each (or one for a handful that belong together), found by discovery."""
