"""Every command of a lab, one file an area. A new file is found by itself (see ``registry``)."""
