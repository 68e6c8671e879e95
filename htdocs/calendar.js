// SPDX-License-Identifier: MIT
// The week: which one, of which calendar, and its events by day.

import { calendars, eventsBetween } from './api.js';
import { addDays, hour, hours, lastDay, mondayOf, shortDate, timesOf, today, weekdayName, weekFrom, weekTitle, windowAround, zone } from './dates.js';
import { el, hook, outsideLink, say, whisper } from './dom.js';
import { openForm } from './form.js';

const state = {
  monday: mondayOf(today()),
  calendars: [],
  // The zone to ask for: the page's, or UTC where Microsoft does not know that one.
  askZone: zone,
  // Counts loads: an answer that a later one has overtaken is thrown away.
  load: 0,
  report: null,
};

const SHOW_AS = { free: 'Free', tentative: 'Tentative', oof: 'Out of office', workingElsewhere: 'Elsewhere' };
const ANSWERS = { declined: 'Declined', notResponded: 'Not answered', tentativelyAccepted: 'Maybe' };

/** The words that mark an event, as { kind, text }. */
function marksOf(event) {
  const people = event.attendees?.length ?? 0;
  return [
    event.isCancelled && { kind: 'cancelled', text: 'Cancelled' },
    !event.isCancelled && SHOW_AS[event.showAs] && { kind: event.showAs, text: SHOW_AS[event.showAs] },
    ANSWERS[event.responseStatus?.response] && { kind: 'answer', text: ANSWERS[event.responseStatus.response] },
    (event.type === 'occurrence' || event.type === 'exception') && { kind: 'repeats', text: 'Repeats' },
    event.isOnlineMeeting && { kind: 'online', text: 'Online' },
    people > 0 && { kind: 'people', text: people === 1 ? '1 attendee' : `${people} attendees` },
  ].filter(Boolean);
}

/** What to say of the time on one of the event's days. */
function timeOn(date, { event, start, end }) {
  if (event.isAllDay) return 'All day';
  const first = start.slice(0, 10);
  const last = lastDay({ start, end });
  if (first === last) return hours(start, end);
  if (date === first) return `From ${hour(start)}`;
  return date === last ? `Until ${hour(end)}` : 'All day';
}

/** The body's beginning. Teams adds its joining details below a line of underscores: they are not the organiser's words. */
function previewOf(event) {
  return (event.bodyPreview ?? '').split(/_{8,}/)[0].trim();
}

function card(date, item) {
  const { event } = item;
  const preview = previewOf(event);
  const place = event.location?.displayName;
  const marks = marksOf(event);
  const button = el('button', { type: 'button', class: 'open', 'data-testid': 'event', 'data-event-id': event.id },
    el('span', { class: 'time', text: timeOn(date, item) }),
    el('span', { class: 'subject', text: event.subject || '(no subject)' }),
    place && el('span', { class: 'place', text: place }),
    preview && el('span', { class: 'preview', text: preview }),
    marks.length > 0 && el('span', { class: 'marks' },
      ...marks.flatMap(({ kind, text }) => [el('span', { class: 'mark', 'data-mark': kind, text }), ' '])));
  button.addEventListener('click', () => edit(event));
  const join = event.isCancelled ? null : outsideLink(event.onlineMeeting?.joinUrl, 'Join', { class: 'join', 'data-testid': 'join' });
  // Several "Join" on one page are told apart by the subject, for those who hear links only.
  join?.append(el('span', { class: 'quiet', text: ` ${event.subject || 'meeting'}` }));
  return el('li', { class: 'card', 'data-show-as': event.showAs, 'data-cancelled': event.isCancelled === true, 'data-all-day': event.isAllDay === true }, button, join);
}

function writable() {
  return chosen()?.canEdit !== false;
}

function day(date, items) {
  const here = items.filter((item) => item.start.slice(0, 10) <= date && date <= lastDay(item));
  const add = el('button', { type: 'button', class: 'add', 'data-testid': 'new-on-day', 'data-date': date, 'aria-label': `New event on ${weekdayName(date)} ${shortDate(date)}`, text: '+' });
  add.addEventListener('click', () => create(date));
  const list = here.length > 0
    ? el('ul', { class: 'cards' }, ...here.map((item) => card(date, item)))
    : el('p', { class: 'none', text: 'No events' });
  return el('li', { class: 'day', 'data-testid': 'day', 'data-date': date, 'data-today': date === today() },
    el('div', { class: 'dayhead' },
      el('h3', {}, el('span', { class: 'weekday', text: weekdayName(date) }), ' ', el('span', { class: 'date', text: shortDate(date) }),
        date === today() && el('span', { class: 'quiet', text: ' (today)' })),
      writable() && add),
    list);
}

/** All-day events first, then by time, then by name. */
function inOrder(a, b) {
  const byKind = Number(b.event.isAllDay === true) - Number(a.event.isAllDay === true);
  return byKind || a.start.localeCompare(b.start) || String(a.event.subject).localeCompare(String(b.event.subject));
}

/** Draws the week's events and returns how many they are: the window asked for was wider than the week. */
function draw(events) {
  const sunday = addDays(state.monday, 6);
  const items = events
    .map((event) => ({ event, ...timesOf(event) }))
    .filter((item) => item.start && item.end && item.start.slice(0, 10) <= sunday && lastDay(item) >= state.monday)
    .sort(inOrder);
  hook('week').replaceChildren(...weekFrom(state.monday).map((date) => day(date, items)));
  return items.length;
}

function chosen() {
  const id = hook('calendar-picker').value;
  return state.calendars.find((calendar) => calendar.id === id);
}

async function fetchWeek() {
  const ask = (timezone) => eventsBetween({ ...windowAround(state.monday), calendarId: chosen()?.id, timezone });
  try {
    return await ask(state.askZone);
  } catch (problem) {
    // Microsoft knows most zone names, not all: its answer in UTC is moved to the page's zone here.
    if (problem.code !== 'microsoft_rejected' || state.askZone === 'UTC') throw problem;
    const answer = await ask('UTC');
    state.askZone = 'UTC';
    return answer;
  }
}

/** Asks for the week and shows it; the old one stays, dimmed, until the answer is here. */
async function showWeek() {
  const week = hook('week');
  const load = ++state.load;
  hook('week-title').textContent = weekTitle(state.monday);
  hook('new-event').hidden = !writable();
  week.dataset.week = state.monday;
  week.setAttribute('aria-busy', 'true');
  try {
    const { events, complete } = await fetchWeek();
    if (load !== state.load) return;
    const count = draw(events);
    whisper(`${count} ${count === 1 ? 'event' : 'events'} in the week ${weekTitle(state.monday)}`);
    if (!complete) say('This week has more events than can be shown.', 'info');
  } catch (problem) {
    if (load !== state.load) return;
    // Another week's events under this week's title would be a lie.
    draw([]);
    state.report(problem);
  } finally {
    if (load === state.load) week.setAttribute('aria-busy', 'false');
  }
}

function fillPicker({ calendars: list = [], default_calendar: standard }) {
  const picker = hook('calendar-picker');
  const before = picker.value;
  state.calendars = list;
  picker.replaceChildren(...list.map((calendar) => el('option', {
    value: calendar.id,
    text: calendar.canEdit === false ? `${calendar.name} (read only)` : calendar.name,
  })));
  const keep = list.some((calendar) => calendar.id === before);
  picker.value = keep ? before : standard?.id ?? list[0]?.id ?? '';
}

/** Loads the calendars and the week; the chosen calendar and week stay. */
export async function openCalendar() {
  const load = ++state.load;
  hook('week-title').textContent = weekTitle(state.monday);
  hook('week').setAttribute('aria-busy', 'true');
  try {
    const answer = await calendars();
    if (load !== state.load) return;
    fillPicker(answer ?? {});
  } catch (problem) {
    if (load !== state.load) return;
    hook('week').setAttribute('aria-busy', 'false');
    state.report(problem);
    return;
  }
  await showWeek();
}

/** Forgets what was loaded, and what is still on its way: the next one here may be somebody else. */
export function closeCalendar() {
  state.load += 1;
  state.calendars = [];
  hook('calendar-picker').replaceChildren();
  hook('week').replaceChildren();
  hook('week').setAttribute('aria-busy', 'false');
  whisper('');
}

function buttonOf(event) {
  return [...document.querySelectorAll('[data-testid="event"]')].find((one) => one.dataset.eventId === event?.id);
}

/**
 * After a change: the week anew, or the event's own week when it is not in this one, and the focus on the
 * changed event, or where a person would go on.
 */
async function afterChange(event) {
  await showWeek();
  if (event?.start && !buttonOf(event)) {
    state.monday = mondayOf(timesOf(event).start.slice(0, 10));
    await showWeek();
  }
  (buttonOf(event) ?? hook('week-title')).focus();
}

function edit(event) {
  openForm({ event, readOnly: !writable(), report: state.report, done: afterChange });
}

function create(date) {
  openForm({ date, calendarId: chosen()?.id, report: state.report, done: afterChange });
}

function goTo(monday) {
  say('');
  state.monday = monday;
  return showWeek();
}

export function wireCalendar(report) {
  state.report = report;
  hook('week-title').textContent = weekTitle(state.monday);
  hook('zone').textContent = zone.replaceAll('_', ' ');
  hook('prev-week').addEventListener('click', () => goTo(addDays(state.monday, -7)));
  hook('next-week').addEventListener('click', () => goTo(addDays(state.monday, 7)));
  hook('today').addEventListener('click', () => goTo(mondayOf(today())));
  hook('calendar-picker').addEventListener('change', () => goTo(state.monday));
  hook('new-event').addEventListener('click', () => {
    const current = mondayOf(today()) === state.monday;
    create(current ? today() : state.monday);
  });
}
