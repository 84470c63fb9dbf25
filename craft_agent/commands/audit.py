# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Serves a page to accept, correct or reject the proposed samples:

```bash
craft-agent audit WORK                    # prints an address; the page asks for a name
craft-agent audit WORK --auditor ann      # starts under this name
```

For a team, create one link per person; the page then requires such a link:

```bash
craft-agent audit WORK --invite ann --invite bob --adjudicator carl --order confidence --share 0.3
```

Links are printed once. Inviting a name again creates a new link and disables the old one. `--withdraw NAME` disables
a link, also on a page that is running. If there are more auditors than `--seats`, each sample is assigned to that many
of them, and every pair of auditors shares about equally many samples. The adjudicator gets the samples on which two
auditors differ, sees both versions, and decides.

Press "?" on the page to list its keys. Every decision is stored at once; edits without a decision stay in the browser.
At most two people review a sample, and they see each other's decision only after their own. By default, the page can
only be reached from this computer; see `--host`. Without invitations, anybody who reaches it can use any name.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import get_args

from mtrefseg.option_values import named_path, port

from ..audit.team import AuditTeam, Order, Role
from ..errors import CraftError


PORT = 7861


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `audit`."""
    parser.add_argument("work", metavar="WORK", type=named_path, help="folder of a run")
    parser.add_argument("--auditor", metavar="NAME", default="", help="your name (default: the page asks)")
    parser.add_argument(
        "--seats", type=int, choices=(1, 2), default=2, help="number of reviewers per sample (default: 2)"
    )
    team = parser.add_argument_group("team")
    team.add_argument("--invite", metavar="NAME", action="append", default=[], help="print a link for an auditor")
    team.add_argument(
        "--adjudicator",
        metavar="NAME",
        action="append",
        default=[],
        help="print a link for a person who decides disagreements",
    )
    team.add_argument(
        "--withdraw",
        metavar="NAME",
        action="append",
        default=[],
        help="disable the link of a person and exit; decisions stay",
    )
    team.add_argument(
        "--order",
        choices=get_args(Order),
        help="order of the samples: by pair, least confident first, or most attempts first (default: the previous "
        "setting, initially pairs)",
    )
    team.add_argument(
        "--share",
        type=float,
        metavar="X",
        help="share of the samples to review (default: the previous setting, initially 1)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument(
        "--port", type=port, default=PORT, help=f"port to listen on (default: {PORT}; 0: any free port)"
    )


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `audit` until it is interrupted.

    Args:
        arguments (`argparse.Namespace`): The parsed options.

    Returns:
        `int`: The exit code 0.

    Raises:
        UserError: If WORK holds no run, a name or the share is not valid, somebody to withdraw is not invited,
            people are invited or the plan is changed in the same call, or the port is taken. Nobody is invited then.
    """
    if arguments.withdraw:
        if arguments.invite or arguments.adjudicator:
            raise CraftError("--withdraw does not open the page: invite people in a separate command")
        if arguments.order is not None or arguments.share is not None:
            raise CraftError("--withdraw cannot be combined with --order or --share: use a separate command")
        return _withdraw(arguments.work, arguments.withdraw)
    # Here, so that the help is printed without loading them.
    import uvicorn

    from mtrefseg.serve.server import address_of, bind

    from ..audit.decisions import check_auditor
    from ..audit.page import build_app
    from ..audit.store import AuditStore

    auditor = check_auditor(arguments.auditor) if arguments.auditor else ""
    roles = _invited_roles(arguments)
    store = AuditStore(arguments.work)
    team = AuditTeam(arguments.work)
    given = {"order": arguments.order, "share": arguments.share}
    plan = replace(team.plan, **{name: value for name, value in given.items() if value is not None})
    # Everything that can fail comes first: a new invitation ends the earlier one, and its link is shown only once.
    listener = bind(arguments.host, arguments.port)
    team.set_plan(plan)
    tokens = {name: team.invite(name, role) for name, role in roles.items()}
    app = build_app(store, arguments.work, auditor, arguments.seats, listener.getsockname()[0])
    address = address_of(listener)
    print(f"{address}  (stop with Ctrl-C; every decision is stored in {arguments.work})", flush=True)
    for name, token in tokens.items():
        print(f"{name} ({roles[name]}): {address}/?token={token}", flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    server.run(sockets=[listener])
    return 0


def _invited_roles(arguments: argparse.Namespace) -> dict[str, Role]:
    """The role of everybody who is to be invited, by name."""
    from ..audit.decisions import check_auditor

    roles: dict[str, Role] = {}
    invited: dict[Role, list[str]] = {"auditor": arguments.invite, "adjudicator": arguments.adjudicator}
    for role, names in invited.items():
        for name in map(check_auditor, names):
            if roles.setdefault(name, role) != role:
                raise CraftError(f"{name} cannot be both: give --invite or --adjudicator")
    return roles


def _withdraw(work: Path, names: list[str]) -> int:
    """Disables the links of people."""
    team = AuditTeam(work)
    for name in names:
        team.withdraw(name)
        print(f"{name} is no longer invited")
    return 0
