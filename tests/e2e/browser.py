# SPDX-License-Identifier: MIT
"""Debian's Chromium without a window, and the page in it by its hooks (data-testid)."""

import base64
import hashlib
import json
import os
import shutil
import tempfile
import time
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chromium.remote_connection import ChromiumRemoteConnection
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stack.process import Child, StartError, free_port
from stack.smoke import REALMS

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--disable-breakpad", "--password-store=basic", "--accept-lang=en-GB")
WAIT_S = 15


def spki_hash(certificate):
    """The base64 SHA-256 of a PEM certificate's public key, as --ignore-certificate-errors-spki-list wants it."""
    key = x509.load_pem_x509_certificate(Path(certificate).read_bytes()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode("ascii")


class Chromium:
    """chromedriver and a Chromium of its own, with a home and temporary files of their own, all gone after stop().

    trust: PEM files with certificates of servers to believe besides the usual ones.
    """

    def __init__(self, directory, trust=(), flags=()):
        self.directory = Path(directory)
        self.driver = None
        # Short: Chromium makes a unix socket below TMPDIR.
        self._home = None
        self._flags = [*FLAGS, f"--ignore-certificate-errors-spki-list={','.join(map(spki_hash, trust))}", *flags]
        self._port = free_port()
        self._service = Child("chromedriver", [self._program("chromedriver"), f"--port={self._port}"], self.directory)

    @staticmethod
    def _program(name):
        found = shutil.which(name)
        if not found:
            raise StartError(f"{name} is not installed (Debian packages: chromium, chromium-driver)")
        return found

    def start(self):
        self._home = tempfile.mkdtemp(prefix="gg-web-")
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._service.start({**kept, "HOME": self._home, "TMPDIR": self._home, "XDG_CONFIG_HOME": self._home,
                             "XDG_CACHE_HOME": self._home, "LANG": "en_GB.UTF-8"})
        try:
            self._service.wait_for(self._ready)
            self.driver = self._session()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        if self.driver:
            try:
                self.driver.quit()
            except (WebDriverException, OSError):
                pass
            self.driver = None
        self._service.stop()
        if self._home:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    def _ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/status", timeout=5) as answer:
                return json.load(answer)["value"]["ready"]
        except OSError:
            return False

    def _session(self):
        options = webdriver.ChromeOptions()
        options.binary_location = self._program("chromium")
        for flag in (*self._flags, f"--user-data-dir={self.directory / 'profile'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        connection = ChromiumRemoteConnection(f"http://127.0.0.1:{self._port}", "goog", "chrome", ignore_proxy=True)
        return webdriver.Remote(command_executor=connection, options=options)

    def fresh_tab(self):
        """A new tab without cookies or storage in place of all others; what the console said so far is dropped."""
        old = self.driver.window_handles
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        for handle in old:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(new)
        self.cdp("Network.clearBrowserCookies")
        self.driver.get_log("browser")

    def cdp(self, command, **parameters):
        """One command of the Chrome DevTools Protocol, to the tab at hand."""
        return self.driver.execute("executeCdpCommand", {"cmd": command, "params": parameters})["value"]


class Page:
    """graphgate's page as a person uses it, in one realm and one tab of a Chromium."""

    def __init__(self, chromium, site, realm, zone="Europe/Amsterdam"):
        self.chromium, self.driver, self.site, self.realm = chromium, chromium.driver, site, realm
        self.address = f"{site}/" + ("?realm=beta" if realm.name == "beta" else "")
        chromium.fresh_tab()
        self.size(1280, 900)
        chromium.cdp("Emulation.setTimezoneOverride", timezoneId=zone)

    def size(self, width, height):
        """The size of what is seen of the page; a window itself cannot be as narrow as a telephone."""
        self.chromium.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def colours(self, scheme):
        """"light" or "dark", as the reader prefers."""
        self.chromium.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self):
        self.driver.get(self.address)
        self.wait(lambda: self.shown("signin") or self.shown("whoami"), "the page is up")
        return self

    # Seeing

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, check, what):
        """Calls check() until it answers true; its answer. A page that is just changing counts as a no."""
        end = time.monotonic() + WAIT_S
        while True:
            try:
                if answer := check():
                    return answer
            except WebDriverException:
                pass
            if time.monotonic() > end:
                body = self.driver.find_element(By.TAG_NAME, "body").text
                raise AssertionError(f"not so after {WAIT_S} s: {what}; at {self.driver.current_url} the page says:\n{body}")
            time.sleep(0.03)

    def at(self, hook):
        return self.driver.find_element(By.CSS_SELECTOR, f'[data-testid="{hook}"]')

    def shown(self, hook):
        return any(one.is_displayed() for one in self.driver.find_elements(By.CSS_SELECTOR, f'[data-testid="{hook}"]'))

    def text(self, hook):
        return self.at(hook).text

    def says(self, words, hook="status"):
        """Waits until the status line, or another place, has the words."""
        return self.wait(lambda: words in self.text(hook), f"{hook} says {words!r}")

    def ready(self):
        """Waits until the week is loaded; its Monday."""
        self.wait(lambda: self.shown("week-title") and self.at("week").get_attribute("aria-busy") == "false"
                  and self.driver.find_elements(By.CSS_SELECTOR, '[data-testid="day"]'), "the week is loaded")
        return self.at("week").get_attribute("data-week")

    def show(self, day):
        """Turns to the week that begins on this Monday: today may be Sunday still, or Monday already, in the page's zone."""
        while (shown := self.ready()) != str(day):
            self.click("next-week" if shown < str(day) else "prev-week")
        return self

    def week(self):
        """{date: [(time, subject), …]} of the days that have events."""
        self.ready()
        days = self.js("""return [...document.querySelectorAll('[data-testid="day"]')].map((day) => [day.dataset.date,
            [...day.querySelectorAll('[data-testid="event"]')].map((event) => ['.time', '.subject'].map(
                (part) => event.querySelector(part).textContent))])""")
        return {date: [tuple(event) for event in events] for date, events in days if events}

    def subjects(self):
        return {subject for events in self.week().values() for _, subject in events}

    def event(self, subject):
        """The event's button, or None."""
        return self.js("""return [...document.querySelectorAll('[data-testid="event"]')].find(
            (event) => event.querySelector('.subject').textContent === arguments[0])""", subject)

    # Doing

    def click(self, *hooks):
        for hook in hooks:
            self.wait(lambda hook=hook: self.at(hook).is_displayed() and self.at(hook), f"{hook} is there").click()

    def press(self, *keys):
        webdriver.ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def tab_to(self, hook, most=60, key="data-testid"):
        """Presses Tab until the focus is on an element, ready for its key; any of several values of the attribute will do."""
        hooks = [hook] if isinstance(hook, str) else hook
        for _ in range(most):
            focus = self.js("return document.activeElement.getAttribute(arguments[0])", key)
            if focus in hooks:
                # A button whose question was just answered is busy until the dialog's own event has come.
                self.wait(lambda: self.js("return document.activeElement.ariaDisabled") != "true", f"{focus} is not busy")
                return focus
            self.press(Keys.TAB)
        raise AssertionError(f"{most} times Tab, and the focus never came to {hooks}")

    def fill(self, **fields):
        """Types into fields of the form; dates and times, which a locale writes in its own way, are set."""
        for name, value in fields.items():
            field = self.at(f"form-{name.replace('_', '-')}")
            if field.get_attribute("type") in ("date", "datetime-local"):
                self.js("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
                        field, value)
            else:
                field.clear()
                field.send_keys(value)

    def save(self):
        """Saves the form and waits until it is closed and the week is there anew."""
        self.click("form-save")
        self.wait(lambda: not self.shown("form-dialog"), "the form is closed")
        return self.ready()

    def open_event(self, subject):
        self.wait(lambda: self.event(subject), f"{subject} is in the week").click()
        self.wait(lambda: self.shown("form-dialog"), "the form is open")

    # Microsoft's pages

    def microsoft(self, title):
        """Waits for the page of Microsoft's with that title."""
        self.wait(lambda: self.driver.title == title, f"Microsoft's page {title!r}")

    def pick(self, user):
        """At the account picker: clicks on the user."""
        self.microsoft("Pick an account")
        self.driver.find_element(By.CSS_SELECTOR, f'button[name="account"][value="{user}"]').click()

    def answer(self, title, button):
        """Presses the button of that name ("accept", "cancel") on the page of Microsoft's with that title."""
        self.microsoft(title)
        self.driver.find_element(By.CSS_SELECTOR, f'button[name="{button}"]').click()

    def sign_in(self, user):
        """From the first click to the week."""
        self.open().click("signin")
        self.pick(user)
        self.says("You are signed in.")
        self.ready()
        return self

    # What the browser has to say

    def complaints(self):
        """The console's warnings and errors, but for the plain report of an API call's error status or of another site's."""
        def plain(line):
            return line["source"] == "network" and (self.site not in line["message"] or f"{self.site}/api/" in line["message"])
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] in ("SEVERE", "WARNING") and not plain(line)]


# What test modules import: the fixtures, and events to put into a calendar.


def monday(zone="Europe/Amsterdam"):
    """This week's, there."""
    today = datetime.now(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday())


def graph_event(subject, days=0, hour="10:00", minutes=60, **more):
    """Graph's JSON for an event in this week, at Amsterdam's hour."""
    start = datetime.fromisoformat(f"{monday() + timedelta(days=days)}T{hour}:00")
    moments = {"start": start, "end": start + timedelta(minutes=minutes)}
    return {"subject": subject, **{name: {"dateTime": moment.isoformat(), "timeZone": "Europe/Amsterdam"}
                                   for name, moment in moments.items()}, **more}


def sent(sim, user, method):
    """What reached Graph's calendar for this user with that method."""
    return sim.requests(target="graph", user=user, method=method)


@pytest.fixture(scope="module")
def browsers(tmp_path_factory, sim):
    """One for each realm, by its name."""
    made = {}
    try:
        for realm in REALMS:
            made[realm.name] = Chromium(tmp_path_factory.mktemp(f"web_{realm.name}"), trust=[sim.dir / "server.pem"]).start()
        yield made
    finally:
        for one in made.values():
            one.stop()


@pytest.fixture
def page(browsers, stack, realm, request):
    """The page in a tab of its own, in Amsterdam or in the zone that is asked for. It must not make the browser complain."""
    at_hand = Page(browsers[realm.name], stack.url, realm, **({"zone": request.param} if hasattr(request, "param") else {}))
    yield at_hand
    assert at_hand.complaints() == []


@pytest.fixture
def someone(person, sim):
    """A person whom the account picker lists."""
    new = person()
    sim.user(new.user, listed=True)
    return new


@pytest.fixture
def signed_in(page, someone):
    """The page with someone's week."""
    return page.sign_in(someone.user)
