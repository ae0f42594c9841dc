"""A mistyped called AE title: one node calls another by a name that is not its own (PS3.8 9.3.2)."""

from __future__ import annotations

from sandbox.faults.on_remote import OnRemote
from sandbox.model.ae_title import AETitle


class CalledAETitle(OnRemote):
    """``config.called_ae_title``: in ``node``'s AE table the line ``peer`` carries the AE title ``value``.

    Where the called node checks its title, every association is rejected 1/1/7 (called AE title not recognised). Seen
    from outside: ``echoscu -aec VALUE`` against the published port of ``peer`` is rejected for that reason.
    """

    kind = "config.called_ae_title"
    setting = "ae_title"
    symptoms = (
        "Every association of the caller is rejected with 1/1/7, called AE title not recognised.",
        "Its queue for that destination grows and tries again in vain.",
    )

    value: AETitle

    def explanation(self) -> str:
        return (
            f"In {self.node}'s AE table, {self.peer} had the AE title {self.value!r}. {self.peer} has another title "
            f"and checks what it is called, so it rejected every association from {self.node}: permanently, by the "
            "service user, called AE title not recognised (1/1/7)."
        )
