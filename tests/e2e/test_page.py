# SPDX-License-Identifier: MIT
"""The page in a real browser, from the first click to a deleted event, in both realms."""

import json
import urllib.request

import pytest
from selenium.webdriver.common.keys import Keys

from browser import browsers, graph_event, monday, page, sent, signed_in, someone  # pylint: disable=unused-import
from stack.lighttpd import SAMPLE

CONSENT = "Permissions requested"


def address_is_clean(page):
    history = page.chromium.cdp("Page.getNavigationHistory")["entries"]
    assert page.driver.current_url == page.address
    return not [entry["url"] for entry in history if entry["url"].startswith(page.site + "/?") and entry["url"] != page.address]


# The whole way


def test_from_the_first_click_to_a_deleted_event(page, person, sim):
    someone = person()
    sim.user(someone.user, listed=True, name="Åsa Öberg")
    page.open().click("signin")
    page.pick(someone.user)
    page.says("You are signed in.")
    assert page.week() == {} and address_is_clean(page)
    assert page.text("whoami-name") == "Åsa Öberg" and f"{someone.user}@example.com" in page.text("whoami")
    assert page.at(f"realm-{page.realm.name}").get_attribute("aria-current") == "page"

    page.click("new-event")
    page.fill(subject="Parents’ evening ☕", start=f"{monday()}T19:30", end=f"{monday()}T21:00", location="Hall",
              attendees="guest@example.org, other@example.org", reminder="0", body="Bring <b>cake</b>")
    page.save()
    page.says("The event was created.")
    assert page.week() == {str(monday()): [("19:30–21:00", "Parents’ evening ☕")]}
    made = sent(sim, someone.user, "POST")[-1]["body"]
    assert made["transactionId"] and made["reminderMinutesBeforeStart"] == 0
    assert [one["emailAddress"]["address"] for one in made["attendees"]] == ["guest@example.org", "other@example.org"]
    assert made["body"] == {"contentType": "text", "content": "Bring <b>cake</b>"}

    page.open_event("Parents’ evening ☕")
    page.fill(subject="Parents’ evening, moved")
    page.save()
    page.says("The event was changed.")
    page.open_event("Parents’ evening, moved")
    page.click("form-delete")
    assert "Parents’ evening, moved" in page.text("confirm-text")
    page.click("confirm-no")
    assert len(sim.events(someone.user)) == 1
    page.click("form-delete", "confirm-yes")
    page.says("The event was deleted.")
    assert page.week() == {} and sim.events(someone.user) == []


def test_with_the_keyboard_alone(page, someone, sim):
    sim.add_events(someone.user, graph_event("Old"))
    page.open()
    page.tab_to("signin")
    page.press(Keys.ENTER)
    page.microsoft("Pick an account")
    page.tab_to(someone.user, most=400, key="value")
    page.press(Keys.ENTER)
    page.says("You are signed in.")
    page.ready()

    page.tab_to("new-event")
    page.press(Keys.ENTER)
    page.wait(lambda: page.shown("form-dialog"), "the form is open")
    page.press("By keys", Keys.ENTER)
    page.says("The event was created.")
    page.wait(lambda: page.js("return document.activeElement.querySelector('.subject')?.textContent") == "By keys",
              "the focus is on the new event")
    page.press(Keys.ENTER)
    page.wait(lambda: page.shown("form-dialog"), "the form is open")
    page.tab_to("form-delete")
    page.press(Keys.ENTER)
    page.wait(lambda: page.shown("confirm"), "the question is asked")
    page.press(Keys.ESCAPE)
    page.wait(lambda: not page.shown("confirm") and page.shown("form-dialog"), "Escape is no")
    page.tab_to("form-delete")
    page.press(Keys.ENTER)
    page.wait(lambda: page.shown("confirm"), "the question is asked")
    page.tab_to("confirm-yes")
    page.press(Keys.SPACE)
    page.says("The event was deleted.")
    assert "By keys" not in page.subjects() and [one["subject"] for one in sim.events(someone.user)] == ["Old"]
    assert page.js("return document.activeElement.dataset.testid") == "week-title"


# Signing in


def test_consent_is_given_or_declined(page, someone, sim):
    sim.user(someone.user, consented=False)
    sim.reset(someone.user)
    page.open().click("signin")
    page.answer("Pick an account", "cancel")
    page.says("You did not give your consent at Microsoft")
    assert page.shown("signin") and address_is_clean(page)
    page.click("signin")
    page.pick(someone.user)
    page.answer(CONSENT, "cancel")
    page.says("You did not give your consent at Microsoft")
    assert page.shown("signin") and address_is_clean(page)
    page.click("signin")
    page.pick(someone.user)
    page.answer(CONSENT, "accept")
    page.says("You are signed in.")
    assert address_is_clean(page)


@pytest.mark.parametrize("query, words", [
    ("error=%3Cb%3Enonsense%3C/b%3E", "The sign-in did not work. Try again."),
    ("error=account_unknown", "This Microsoft account is not known here."),
    ("session_code=x", "was not started in this tab"),
])
@pytest.mark.promise("attack/isolation", "Stored markup and javascript: links stay text on the page (Chromium)")
def test_what_strangers_put_into_the_address(page, query, words):
    page.driver.get(page.address + ("&" if "?" in page.address else "?") + query)
    page.says(words)
    assert page.shown("signin") and address_is_clean(page)


def test_tokens_are_in_session_storage_only(signed_in, someone, sim):
    page = signed_in
    pair = json.loads(page.js("return sessionStorage.getItem(arguments[0])", f"graphgate.{page.realm.name}.session"))
    assert set(pair) == {"access_token", "refresh_token"} and page.js("return sessionStorage.length") == 1
    secret = [*pair.values(), *(one["value"] for one in sim.issued(user=someone.user))]
    assert len(secret) > 4
    elsewhere = json.dumps(page.js("""return [document.documentElement.outerHTML, location.href, document.cookie, window.name,
        Object.entries(localStorage), [...document.querySelectorAll('input, textarea')].map((one) => one.value),
        performance.getEntriesByType('resource').map((one) => one.name), history.state]"""))
    elsewhere += json.dumps([page.driver.get_cookies(), page.chromium.cdp("Page.getNavigationHistory")["entries"][-1]])
    in_session = page.js("return JSON.stringify(Object.entries(sessionStorage))")
    assert not [value for value in secret if value in elsewhere or value in in_session and value not in pair.values()]
    stores = "return Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()])"
    assert page.js(stores) == [[], [], []]


def test_session_outlives_a_reload_and_its_access_token(signed_in, someone, stack):
    page, other = signed_in, "beta" if signed_in.realm.name == "main" else "main"
    key = f"graphgate.{page.realm.name}.session"
    spoil = "const s = JSON.parse(sessionStorage[arguments[0]]); s[arguments[1]] += 'x'; sessionStorage[arguments[0]] = JSON.stringify(s)"
    page.driver.refresh()
    page.ready()
    page.js(spoil, key, "access_token")
    page.click("refresh")
    page.ready()
    page.wait(lambda: page.js("return JSON.parse(sessionStorage[arguments[0]]).access_token.at(-1) !== 'x'", key), "a new token")
    # The other realm has a session of its own.
    page.click(f"realm-{other}")
    page.wait(lambda: page.shown("signin"), "the other realm is signed out")
    page.click(f"realm-{page.realm.name}")
    page.ready()
    page.js(spoil, key, "access_token")
    page.js(spoil, key, "refresh_token")
    page.click("next-week")
    page.says("Your session has ended. Sign in again.")
    assert page.shown("signin") and someone.user not in page.js("return document.documentElement.outerHTML")
    assert page.js("return sessionStorage.length") == 0


def test_sign_out(signed_in, someone, sim):
    page = signed_in
    sim.add_events(someone.user, graph_event("Between us"))
    page.click("refresh")
    page.wait(lambda: page.event("Between us"), "the event is there")
    page.click("signout")
    page.says("You are signed out.")
    assert page.js("return sessionStorage.length") == 0 and page.shown("signin")
    page.driver.back()
    page.driver.forward()
    page.wait(lambda: page.shown("signin"), "the page is back")
    left = page.js("return document.documentElement.outerHTML")
    assert "Between us" not in left and someone.user not in left


def test_disconnect_and_connect_again(signed_in, someone, stack):
    page = signed_in
    connected = f"SELECT COUNT(*) FROM {someone.table} WHERE microsoft_email = '{someone.user}@example.com'"
    page.click("disconnect", "confirm-no")
    assert page.shown("week") and stack.sql(connected) == [["1"]]
    page.click("disconnect", "confirm-yes")
    page.says("Microsoft is disconnected.")
    assert page.shown("connect") and not page.shown("week") and stack.sql(connected) == [["0"]]
    page.driver.refresh()
    page.wait(lambda: page.shown("connect"), "still not connected")
    page.click("connect")
    page.pick(someone.user)
    page.says("Microsoft is connected.")
    page.ready()
    assert stack.sql(connected) == [["1"]] and address_is_clean(page)
    assert f"Connected to Microsoft as {someone.user}@example.com" in page.text("whoami")


# What the browser is told


def test_policy_is_the_samples_and_is_in_force(page, stack):
    with urllib.request.urlopen(stack.url + "/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert f'"Content-Security-Policy" => "{policy}"' in SAMPLE.read_text(encoding="utf-8")
    assert "'unsafe" not in policy and "default-src 'none'" in policy
    page.open()
    page.js("const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s)")
    assert page.js("return window.pwned") is None
    # Also shows that a complaint would be seen, which every other test relies on.
    assert "Content Security Policy" in " ".join(page.complaints())
