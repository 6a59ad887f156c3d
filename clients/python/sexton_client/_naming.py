"""What a name that a person has given means."""

from __future__ import annotations

from ._methods import Automations

_QUERY = 160
"""How long a title may be, in characters."""


async def automation_called(name: str, automations: Automations) -> str:
    """The id of the automation that has this id or exactly this title."""
    if name.startswith("atm_"):
        return name
    found = []
    cursor = None
    while name.strip() and len(name) <= _QUERY:
        page = await automations.list(query=name, cursor=cursor, limit=500)
        for item in page["items"]:
            if "ofLaterVersion" not in item and item["title"] == name:
                found.append(item["id"])
        cursor = page["nextCursor"]
        if cursor is None:
            break
    if len(found) == 1:
        return found[0]
    if found:
        raise LookupError(f"{len(found)} automations are called {name!r}; name one by its id: {', '.join(found)}")
    raise LookupError(f"no automation is called {name!r}; `automations.list()` has all")
