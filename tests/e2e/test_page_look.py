# SPDX-License-Identifier: MIT
"""The page for every reader: names for all controls, a focus that is seen, contrast, and narrow windows."""

from selenium.webdriver.common.keys import Keys

from browser import browsers, graph_event, page, signed_in, someone  # pylint: disable=unused-import

# What takes the focus so that reading goes on from there, without being a control.
NO_CONTROLS = {"RootWebArea", "main", "generic", "dialog"}

# Texts whose contrast is below WCAG AA: 4.5, or 3 for large ones. Every background here is opaque or transparent.
LOW_CONTRAST = """
const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const rgba = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (node) => {
  for (let one = node; one; one = one.parentElement) {
    const colour = rgba(getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const top = document.querySelector('dialog[open]') ?? document.body;
const found = [];
for (const node of top.querySelectorAll('*')) {
  const words = [...node.childNodes].filter((one) => one.nodeType === 3 && one.data.trim()).length;
  const box = node.getBoundingClientRect();
  if (!words || !node.checkVisibility() || box.width < 2 || node.closest('dialog:not([open]), .skip, noscript, datalist')) continue;
  const style = getComputedStyle(node);
  const [one, two] = [light(rgba(style.color)), light(behind(node))].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (two + 0.05);
  const size = parseFloat(style.fontSize);
  if (ratio < (size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5)) found.push([node.textContent, ratio]);
}
return found;
"""

FOCUS = """
const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
return [one.dataset.testid ?? one.className ?? one.tagName, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth];
"""


def nameless(page):
    """Roles of the elements that take the focus and have no accessible name."""
    nodes = page.chromium.cdp("Accessibility.getFullAXTree")["nodes"]
    controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] not in NO_CONTROLS
                and any(one["name"] == "focusable" and one["value"]["value"] for one in node.get("properties", []))]
    assert controls
    return [node["role"]["value"] for node in controls if not node.get("name", {}).get("value", "").strip()]


def overflow(page):
    """How far the page, or an open dialog, goes beyond the window's sides."""
    return page.js("""const box = document.querySelector('dialog[open]')?.getBoundingClientRect();
        const sides = [...document.querySelectorAll('dialog[open] .scroll')].map((one) => one.scrollWidth - one.clientWidth);
        return Math.max(document.documentElement.scrollWidth - document.documentElement.clientWidth,
                        box ? Math.max(-box.left, box.right - innerWidth) : 0, ...sides)""")


def views(page, someone, sim):
    """Goes through the page's views and names each: the caller looks at it."""
    sim.add_events(someone.user, graph_event("x" * 250, location={"displayName": "y" * 200}),
                   graph_event("Free", 1, showAs="free", isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"),
                   graph_event("Away", 2, showAs="oof"), graph_event("Perhaps", 2, showAs="tentative"),
                   graph_event("Off", 3, overlay={"isCancelled": True}))
    page.open()
    yield "signed out"
    page.sign_in(someone.user)
    page.js("document.querySelector('details').open = true")
    yield "week"
    page.open_event("Free")
    yield "event"
    page.fill(subject="")
    page.click("form-save")
    page.wait(lambda: page.text("error-subject"), "the fault")
    yield "faults"
    page.click("form-delete")
    yield "question"
    page.click("confirm-no", "form-cancel", "disconnect", "confirm-yes")
    page.wait(lambda: page.shown("connect"), "not connected")
    yield "not connected"


def test_names_structure_and_contrast(page, someone, sim):
    for view in views(page, someone, sim):
        assert nameless(page) == [], view
        for scheme in ("dark", "light"):
            page.colours(scheme)
            assert page.js(LOW_CONTRAST) == [], f"{view}, {scheme}"
        assert page.js("""const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
            const told = [...document.querySelectorAll('[aria-describedby], [aria-labelledby]')].flatMap((one) => [
              one.getAttribute('aria-describedby') ?? '', one.getAttribute('aria-labelledby') ?? '']).join(' ').split(' ').filter(Boolean);
            return [new Set(ids).size === ids.length, told.every((id) => ids.includes(id)), document.documentElement.lang,
                    document.querySelectorAll('h1').length, document.title !== '']""") == [True, True, "en", 1, True], view


def test_narrow_windows_do_not_scroll_sideways(page, someone, sim):
    for view in views(page, someone, sim):
        for width in (360, 320):
            page.size(width, 740)
            assert overflow(page) <= 0, f"{view}, {width}"


def test_focus_is_seen_wherever_it_goes(signed_in, someone, sim):
    page = signed_in
    sim.add_events(someone.user, graph_event("Lesson"), graph_event(
        "Online", 1, isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness"))
    page.driver.refresh()
    page.wait(lambda: page.event("Lesson"), "the week")
    passed = walk(page)
    assert {"signout", "prev-week", "calendar-picker", "new-event", "event", "join", "realm-beta"} <= passed
    page.open_event("Lesson")
    assert {"form-subject", "form-all-day", "form-start", "form-reminder", "form-body", "form-delete", "form-save"} <= walk(page)


def walk(page):
    """Presses Tab until the focus has left the page; the hooks it was on. It must be seen on each."""
    passed = {}
    for _ in range(60):
        page.press(Keys.TAB)
        name, marked, inside = page.js(FOCUS)
        if page.js("return document.activeElement === document.body"):
            break
        passed[name] = marked and inside
    assert all(passed.values()), passed
    return set(passed)
