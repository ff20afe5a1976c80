"""What the contract says beside its messages: the numbers of its bounds, and which status a refusal has."""

from milepost.contract import limits
from milepost.contract.reasons import DOMAIN, STATUS, reason_from_name, reason_name

__all__ = ["DOMAIN", "STATUS", "limits", "reason_from_name", "reason_name"]
