# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Who may audit a run, by invitation links, and which samples are audited by whom and in which order."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args

from ..errors import CraftError
from ..state.database import open_database
from ..state.rows import now
from ..state.settings import AUDIT_PLAN
from .decisions import check_auditor


Role = Literal["auditor", "adjudicator"]
Order = Literal["pairs", "confidence", "disagreement"]
_IS_INVITED = "name NOT IN (SELECT name FROM withdrawn)"


@dataclass(frozen=True)
class Person:
    """
    Somebody who was invited.

    Args:
        name (`str`): The name.
        role (`str`): "auditor", who judges samples, or "adjudicator", who decides where auditors differ.
    """

    name: str
    role: Role


@dataclass(frozen=True)
class AuditPlan:
    """
    Which samples are audited, and in which order.

    Args:
        order (`str`, *optional*, defaults to `"pairs"`): "pairs"; "confidence", the least confident masks first; or
            "disagreement", first those on which the machine's own steps differed most: those that took most attempts.
        share (`float`, *optional*, defaults to 1.0): The share of samples that is audited, above 0 to 1. They are
            drawn by their names, so the same ones every time.

    Raises:
        CraftError: If a value is not valid.
    """

    order: Order = "pairs"
    share: float = 1.0

    def __post_init__(self) -> None:
        if self.order not in get_args(Order):
            raise CraftError(f"There is no order {self.order!r}; use one of {', '.join(get_args(Order))}.")
        if not 0 < self.share <= 1:
            raise CraftError(f"The share is {self.share}; it must be above 0 and at most 1.")


class AuditTeam:
    """
    The people and the plan of an audit. Every method may be called from any thread.

    Args:
        work (`Path`): The folder of the run.

    Raises:
        CraftError: If the folder holds no run, or its database cannot be used.
    """

    def __init__(self, work: Path) -> None:
        self._database = open_database(work)

    def invite(self, name: str, role: Role = "auditor") -> str:
        """
        Invites somebody. An earlier invitation of the same name is no longer valid.

        Args:
            name (`str`): The name, valid for `check_auditor`.
            role (`str`, *optional*, defaults to `"auditor"`): The role.

        Returns:
            `str`: The token for the link. It is not stored, only its hash: it cannot be shown again.
        """
        check_auditor(name)
        token = secrets.token_urlsafe(24)
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO people (name, role, token_sha256, invited_at) VALUES (?, ?, ?, ?)",
                (name, role, _hashed(token), now()),
            )
            connection.execute("DELETE FROM withdrawn WHERE name = ?", (name,))
        return token

    def withdraw(self, name: str) -> None:
        """
        Withdraws an invitation: the link is no longer valid, and no more samples are assigned to this person.
        Decisions stay.

        Args:
            name (`str`): The name.

        Raises:
            CraftError: If nobody of this name is invited.
        """
        people = [person.name for person in self.people()]
        if name not in people:
            raise CraftError(f"{name!r} is not invited; invited are: {', '.join(people) or 'nobody'}.")
        with self._database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO withdrawn (name) VALUES (?)", (name,))

    @property
    def is_closed(self) -> bool:
        """`bool`: Whether only people with an invitation may audit, because somebody was once invited."""
        return bool(self._database.rows("SELECT 1 FROM people LIMIT 1"))

    def people(self) -> list[Person]:
        """Everybody who is invited, sorted by name."""
        rows = self._database.rows(f"SELECT name, role FROM people WHERE {_IS_INVITED} ORDER BY name")
        return [Person(row["name"], row["role"]) for row in rows]

    def person(self, token: str) -> Person | None:
        """Whose token this is; `None` if it is nobody's."""
        rows = self._database.rows(
            f"SELECT name, role FROM people WHERE token_sha256 = ? AND {_IS_INVITED}", _hashed(token)
        )
        return Person(rows[0]["name"], rows[0]["role"]) if rows else None

    def is_adjudicator(self, name: str) -> bool:
        """Whether somebody decides where auditors differ."""
        return Person(name, "adjudicator") in self.people()

    @property
    def plan(self) -> AuditPlan:
        """`AuditPlan`: The plan; by default, all samples in the order of pairs."""
        rows = self._database.rows("SELECT value FROM settings WHERE key = ?", AUDIT_PLAN)
        with self._database.decoding():
            return AuditPlan(**json.loads(rows[0]["value"])) if rows else AuditPlan()

    def set_plan(self, plan: AuditPlan) -> None:
        """Stores the plan with the run."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (AUDIT_PLAN, json.dumps(asdict(plan)))
            )

    def planned(self) -> list[str]:
        """The ids of the samples to audit, in their order."""
        plan = self.plan
        # Not always the last attempt made the mask. Without attempts, a sample counts as sure.
        rows = self._database.rows(
            """SELECT sample_id, (SELECT content FROM rounds JOIN proposals USING (pair_id, candidate)
            WHERE rounds.pair_id = samples.pair_id AND rounds.candidate = samples.candidate AND round = best) AS kept,
            (SELECT COUNT(*) FROM rounds
            WHERE rounds.pair_id = samples.pair_id AND rounds.candidate = samples.candidate) AS attempts
            FROM samples ORDER BY pair_id, candidate"""
        )
        with self._database.decoding():
            found = [
                (row["sample_id"], row["attempts"], json.loads(row["kept"])["score"] if row["kept"] else 1.0)
                for row in rows
                if _draw(row["sample_id"]) < plan.share
            ]
        if plan.order == "confidence":
            found.sort(key=lambda each: each[2])
        elif plan.order == "disagreement":
            found.sort(key=lambda each: (-each[1], each[2]))
        return [sample_id for sample_id, _, _ in found]


def choose_auditors(sample_id: str, auditors: Sequence[str], seats: int) -> tuple[str, ...]:
    """
    The auditors who judge a sample. Every two of them get about as many samples together as any other two.

    Args:
        sample_id (`str`): The sample.
        auditors (`Sequence[str]`): The names of all auditors, sorted.
        seats (`int`): How many people judge a sample.

    Returns:
        `tuple[str, ...]`: Their names; all auditors, if there are no more than `seats`.
    """
    if len(auditors) <= seats:
        return tuple(auditors)
    groups = list(combinations(auditors, seats))
    return groups[int(_draw(f"who {sample_id}") * len(groups))]


def _draw(text: str) -> float:
    """A number from 0 to 1, 1 excluded, that is always the same for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / (1 << 48)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", errors="replace")).hexdigest()
