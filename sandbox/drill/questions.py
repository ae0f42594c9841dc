"""What people of a hospital can be asked on a ticket, and what they say when they cannot tell. Tables, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.model.scenario import About

QUESTIONS: Mapping[About, str] = {
    About.SEE: "What exactly do you see?",
    About.SINCE: "Since when?",
    About.SCOPE: "Only this patient, or others as well?",
    About.ROOMS: "Is it the same in other rooms?",
    About.CHANGED: "Did anything change lately?",
    About.AGAIN: "Can you try once more?",
    About.URGENT: "How urgent is it?",
    About.WAITING: "Who else is waiting for it?",
}
"""The questions, in the order in which they are offered."""

DO_NOT_KNOW: Mapping[About, Sequence[str]] = {
    About.SEE: ("I don't see it from where I sit.", "Nothing, I'm afraid: I have no screen that shows it."),
    About.SINCE: ("I don't know. I only heard of it through you.", "I couldn't say; nobody has told me of it before."),
    About.SCOPE: ("I don't know.", "I couldn't say; I know only what you have just told me."),
    About.ROOMS: ("I don't know about the other rooms.", "You would have to ask them; I can't see that from here."),
    About.CHANGED: ("Not that I know of.", "Nothing that anybody told me about.", "Not on my side, as far as I know."),
    About.AGAIN: ("I can't try that from here.", "That is nothing I could try; ask those who work with it."),
    About.URGENT: ("I don't know. Ask whoever has the patient.", "I couldn't say; ask those who called you."),
    About.WAITING: ("I don't know who waits for it.", "Nobody has rung me, at least."),
}
"""What somebody says who has nothing to tell. Everything in here is true of anybody."""

BUSY: Sequence[str] = (
    "I was just about to try, and then something came in between. Ask me again.",
    "Sorry, my screen went away while I was at it. Ask me again in a moment.",
)
"""When a try could not be made, as while the department is being put back to its start."""

THANKS: Sequence[str] = (
    "Thank you. I'll pass it on.",
    "Thanks, that is something I can tell people.",
    "Good to know. I shall tell those who ask me.",
)
"""What somebody says to an update that says what there is to say."""

MISSING: Mapping[str, str] = {
    "impact": "Thank you. And what does it mean for us here, until then? I have to tell people something.",
    "known": "Thank you. Do you know anything yet? It would help to hear what it is not, too.",
    "unknown": "Thank you. And is that certain, or is there something you do not know yet?",
}
"""What is asked back when a part of an update says nothing."""

LONG_MIN = 60
LONG = (
    "Thank you. {minutes} minutes are a long time from where I stand. Could you look in before that, if only to say so?"
)
"""Said to an update whose next one is further away than ``LONG_MIN`` minutes."""

NEWS = "You said that I would hear from you in {minutes} min. Is there any news?"
"""Said when a promised update did not come."""
