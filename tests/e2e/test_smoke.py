# SPDX-License-Identifier: MIT
"""The main job, whole, behind the very file that the sample is."""

from stack.smoke import Smoke


def test_main_job(stack, sim):
    sim.seed("demo")
    assert Smoke(stack.url, sim.authorize).run(("sam", "noor"))


def test_connect_then_calendar(person):
    someone = person().connect()
    assert someone.cal("GET").status == 200
    assert someone.row("is_active") == ["1"]


def test_sign_in_then_calendar(person):
    someone = person()
    answer = someone.sign_in()
    assert answer.body["user_info"]["email"] == f"{someone.user}@example.com"
    assert someone.cal("GET").status == 200
