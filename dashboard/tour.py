"""The five-minute tour: what this person has done, kept as their application state in Lakebase.

Marking a step never fails and never holds anything up for long: a tour that forgets is better than a page that fails.
"""

import json
import time
from typing import Literal

from dashboard.identity import current_user
from services.container import Services
from services.errors import LakefrontError, NotFound
from services.identity import User
from services.lakebase.models import APPLICATION_STATE

Step = Literal["table", "filter", "preference", "model", "manager"]
STEPS: tuple[Step, ...] = ("table", "filter", "preference", "model", "manager")
KEY = "tour"


def done(services: Services, user: User) -> set[str]:
    """Return the steps that the person has done; runs as the app on Lakebase, for the person.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    steps = {"manager"} if "managers" in user.groups else set()
    try:
        text = services.lakebase.get_record(user, APPLICATION_STATE, KEY).value
    except NotFound:
        return steps
    kept = json.loads(text)
    known = kept.get("done", []) if isinstance(kept, dict) else []
    return steps | {step for step in known if step in STEPS}


def mark(services: Services, step: Step) -> None:
    """Remember that the person of this request has done a step; silent when it cannot be remembered."""
    try:
        user = current_user()
        before = done(services, user)
        if step in before:
            return
        kept = {"done": [one for one in STEPS if one in before | {step}], "at": round(time.time())}
        services.lakebase.save_record(user, APPLICATION_STATE, KEY, json.dumps(kept))
    except LakefrontError:
        return  # counted and logged where Lakebase is asked; the page goes on
