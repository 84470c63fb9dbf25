# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A hostile input, and the verdict on its outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np


LONGEST_MESSAGE = 4000
"""A refusal is one line, of no more characters than this."""

Random: TypeAlias = np.random.Generator


class Outcome(str, Enum):
    """The outcome of a case; tables show the value."""

    RIGHT = "right"
    REFUSED = "refused"
    # The input is damaged in a way that its format cannot tell from other content; it was read as the other content.
    UNDETECTABLE = "undetectable"
    NEEDLESS = "needless refusal"
    CRASH = "crash"
    HANG = "hang"
    MEMORY = "memory"
    WRONG = "silent wrong result"

    @property
    def is_fault(self) -> bool:
        """Whether the program has to be repaired."""
        return self not in (Outcome.RIGHT, Outcome.REFUSED, Outcome.UNDETECTABLE)


class HangError(BaseException):
    """A case took too long. No `except Exception` on the way catches it."""


@dataclass(frozen=True)
class Case:
    """
    One input.

    Args:
        what (`str`): What it is, for the list of faults.
        read (`Callable`): Hands it to the product and returns what that makes of it.
        refusals (`tuple[type[Exception], ...]`): The errors that count as a refusal in one line.
        is_right (`Callable`, *optional*): Whether the result is the one that the maker of the input knows; `None` if
            the input has no right value, so that it must be refused.
        must_read (`bool`, *optional*, defaults to `False`): Whether a refusal is a fault: the input is whole.
        is_undetectable (`bool`, *optional*, defaults to `False`): Whether the damage may look like other content. Then
            a result that is not the known one is no fault.
    """

    what: str
    read: Callable[[], Any]
    refusals: tuple[type[Exception], ...]
    is_right: Callable[[Any], bool] | None = None
    must_read: bool = False
    is_undetectable: bool = False


@dataclass(frozen=True)
class Verdict:
    """
    The judgement of a case.

    Args:
        outcome (`Outcome`): What became of it.
        what (`str`): The input.
        detail (`str`, *optional*): The error, if there was one.
    """

    outcome: Outcome
    what: str
    detail: str = ""


@dataclass(frozen=True)
class Kind:
    """
    A kind of input.

    Args:
        name (`str`): As the table calls it.
        share (`int`): How many of 100,000 cases are of this kind.
        make (`Callable`): Makes a case from a random generator and an empty folder.
        prepare (`Callable`, *optional*): Imports and makes what all cases share, in a folder, before anything is
            measured.
        seconds (`float`, *optional*, defaults to 5): What a case may take of the processor's time.
        memory (`int`, *optional*, defaults to 1 GiB): What a case may take in bytes, beyond what was in use before.
    """

    name: str
    share: int
    make: Callable[[Random, Path], Case]
    prepare: Callable[[Path], None] | None = None
    seconds: float = 5.0
    memory: int = 1 << 30


def judge(case: Case) -> Verdict:
    """
    Runs a case and judges it.

    Args:
        case (`Case`): The case.

    Returns:
        `Verdict`: What became of it.
    """
    try:
        result = case.read()
        is_right = case.is_right is not None and case.is_right(result)
    except HangError:
        return Verdict(Outcome.HANG, case.what)
    except MemoryError as error:
        return Verdict(Outcome.MEMORY, case.what, _describe(error))
    except case.refusals as error:
        return _judge_refusal(case, error)
    except Exception as error:  # noqa: BLE001 - whatever else it raises is what is looked for
        return Verdict(Outcome.CRASH, case.what, _describe(error))
    if is_right:
        return Verdict(Outcome.RIGHT, case.what)
    if case.is_undetectable:
        return Verdict(Outcome.UNDETECTABLE, case.what)
    return Verdict(Outcome.WRONG, case.what, f"returned {_shorten(repr(result))}")


def _judge_refusal(case: Case, error: Exception) -> Verdict:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return Verdict(Outcome.MEMORY, case.what, _describe(error))
        cause = cause.__cause__ or cause.__context__
    message = str(error)
    if not message.strip() or len(message) > LONGEST_MESSAGE or len(message.splitlines()) > 1:
        return Verdict(Outcome.CRASH, case.what, f"no line: {_describe(error)}")
    outcome = Outcome.NEEDLESS if case.must_read else Outcome.REFUSED
    return Verdict(outcome, case.what, _describe(error))


def _describe(error: BaseException) -> str:
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}: {_shorten(str(error))}"


def _shorten(text: str) -> str:
    text = " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 300 else f"{text[:300]}..."
