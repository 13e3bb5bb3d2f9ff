"""How accounts are run, as settings say."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AccountRules:
    """How accounts are run. Each is the setting of the same name."""

    sign_up: Literal["open", "invite", "closed"] = "invite"
    session_days: float = 30.0
    password_min: int = 10
    max_tokens: int = 20
    display_name_changes: int = 3
    max_name_length: int = 64
    leave_days: float = 7.0
    proof_minutes: float = 10.0
