"""The guided tour: five minutes through a real drill, from the phone call to the solved ticket. ``steps`` is what it
says and where, ``guide`` knows where somebody is in it."""
