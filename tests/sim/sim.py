#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Starts the simulated Microsoft. README.md beside this file tells what it can do."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from microsoft import seed, server
from microsoft.directory import CLIENT_ID
from microsoft.world import World


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A simulated Microsoft identity platform and Graph calendar, on loopback.")
    parser.add_argument("--dir", required=True, type=Path, help="where sim.json, ca.pem and server.pem are written")
    parser.add_argument("--http-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--https-port", type=int, default=0, help="0: any free port")
    parser.add_argument("--config", type=Path, help="JSON with tenants, users, apps, settings to add or change")
    parser.add_argument("--seed", choices=["demo"], help="fill two calendars")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    config = json.loads(arguments.config.read_text(encoding="utf-8")) if arguments.config else {}
    arguments.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = arguments.dir.resolve()
    world = World(config)
    if arguments.seed:
        seed.plant(world, arguments.seed, "Europe/Amsterdam")
    client_id = config["apps"][0]["client_id"] if config.get("apps") else CLIENT_ID
    app = world.directory.apps[client_id]

    def describe(http: str, https: str, https_bad: dict) -> str:
        world.bases = {"http": http, "https": https}
        return json.dumps({"pid": os.getpid(), "http": http, "https": https, "https_bad": https_bad,
                           "ca_file": str(directory / "ca.pem"), "control": f"{http}/_control", "client_id": app.client_id,
                           "client_secret": app.secrets[0]["value"] if app.secrets else None, "tenant_id": app.tenant}, indent=1)

    asyncio.run(server.serve(world, directory, arguments.http_port, arguments.https_port, describe))
    return 0


if __name__ == "__main__":
    sys.exit(main())
