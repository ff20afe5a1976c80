"""Which claims of a JSON Web Token hold a principal's name and rights."""

from __future__ import annotations

from typing import NamedTuple


class ClaimNames(NamedTuple):
    """The claim for each field of a principal; dots lead into nested claims."""

    subject: str = "sub"
    owners: str = "owners"
    scopes: str = "scope"
    kinds: str = "kinds"
    limits: str = "limits"

    @classmethod
    def parse(cls, text: str) -> ClaimNames:
        """Parse ``owners=org.teams,scopes=permissions``. Raises ValueError."""
        names = cls()
        for part in filter(None, text.split(",")):
            field, separator, claim = part.partition("=")
            if not separator or not claim or field not in cls._fields:
                raise ValueError(
                    f"{part!r} is not one of {', '.join(cls._fields)}, '=' and the name of a claim"
                )
            names = names._replace(**{field: claim})
        return names
