"""What a lesson is practice for: topics in the style of the CDIP outline, and the CIIP domains with their weights.

Negotiation, messages, storage and query follow the published summary of the PARCA CDIP requirements; the other topics
of that kind are ours. CIIP weights are scored items of 130 (ABII). Neither body has any part in this; the words only
tell a learner where a lesson belongs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """``weight`` is the number of scored exam items, 0 where nothing is published."""

    id: str
    title: str
    weight: int = 0

    @property
    def body(self) -> str:
        """Which of the two lists it belongs to: cdip or ciip."""
        return self.id.partition(":")[0]


TOPICS: tuple[Topic, ...] = (
    Topic("cdip:negotiation", "Association negotiation"),
    Topic("cdip:messages", "Messages and data elements"),
    Topic("cdip:storage", "Storage and image management"),
    Topic("cdip:query-retrieve", "Query and retrieve"),
    Topic("cdip:dicomweb", "DICOMweb"),
    Topic("cdip:security", "Security"),
    Topic("cdip:hl7", "HL7"),
    Topic("ciip:procurement", "Procurement", 6),
    Topic("ciip:project-management", "Project management", 7),
    Topic("ciip:operations", "Operations", 13),
    Topic("ciip:communications", "Communications", 10),
    Topic("ciip:education", "Training and education", 6),
    Topic("ciip:image-management", "Image management", 24),
    Topic("ciip:information-technology", "Information technology", 18),
    Topic("ciip:systems-management", "Systems management", 15),
    Topic("ciip:clinical-engineering", "Clinical engineering", 14),
    Topic("ciip:imaging-informatics", "Medical imaging informatics", 17),
)

BODIES: dict[str, str] = {"cdip": "CDIP-style topics", "ciip": "CIIP domains"}
"""The two lists that topics belong to, by the first part of their id."""
CIIP_ITEMS = 130
"""How many scored items the CIIP examination has; weights are out of these."""


def topic_of(id: str) -> Topic:
    """The topic of this id; one that the table does not have goes by its id, as an author's own may."""
    known = next((topic for topic in TOPICS if topic.id == id), None)
    return known or Topic(id, id.partition(":")[2].replace("-", " ").capitalize() or id)


FAMILIES: dict[str, str] = {
    "it-will-not-send": "It won't send",
    "where-is-my-study": "Where is my study?",
    "found-but-not-pulled": "I can find it but can't pull it",
    "worklist": "My worklist is empty or wrong",
    "slow": "Everything is slow",
    "wrong-data": "The images or the data are wrong",
    "who-is-this": "Who is this, and why may they?",
}
"""Symptom families: lessons of one family share their wording, so that a ticket does not give its cause away."""
