"""The layers at which a diagnosis places a cause, from the wire upward. The diagnosis form offers exactly these."""

from __future__ import annotations

LAYERS: dict[str, str] = {
    "network": "Network: names, addresses, ports, firewall, cables",
    "process": "The application itself: stopped, hung, out of resources",
    "association": "Association: who may call whom, and by which title",
    "negotiation": "Presentation contexts: what is offered and accepted, and how it is encoded",
    "messages": "Messages and data elements: what the objects or queries say",
    "storage": "Storage: disk, files, index",
    "query-retrieve": "Query and retrieve: keys, limits, move destinations",
    "routing": "Routing: which rule sends what where",
    "queue": "Queues: held, blocked, waiting, set aside",
    "worklist": "Orders, worklist and procedure steps",
    "security": "Security: who is let in, certificates, encryption",
    "people": "No fault: something was not done, or looked for in the wrong place",
}
