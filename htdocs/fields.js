// SPDX-License-Identifier: MIT
// The form's fields: an event into them, and out of them what the API wants. Nothing is judged here:
// the API judges, and says which field is wrong.

import { addDays, lastDay, shift, timesOf, today, wallOf, zone } from './dates.js';
import { hook } from './dom.js';

const HOUR = 3_600_000;

// The times that the fields last held, both valid; null while they do not.
let span = null;

/** A field's value as a wall-clock time with seconds, or as a date, or as it is. */
function timeValue(name) {
  const value = hook(name).value;
  return value.length === 16 ? `${value}:00` : value;
}

function reminderValue() {
  const text = hook('form-reminder').value.trim();
  // Not a number? Sent as it is, so that the API says so beside the field.
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Every field, by the API's names. The last day of an all-day event becomes the end that the API wants, the next midnight. */
export function readFields() {
  const allDay = hook('form-all-day').checked;
  const end = timeValue('form-end');
  return {
    subject: hook('form-subject').value,
    is_all_day: allDay,
    start: timeValue('form-start'),
    end: allDay && end ? addDays(end, 1) : end,
    timezone: hook('form-timezone').value.trim(),
    location: hook('form-location').value,
    attendees: hook('form-attendees').value.split(/[\n,;]/).map((one) => one.trim()).filter(Boolean),
    reminder_minutes: reminderValue(),
    body: hook('form-body').value,
  };
}

/** What to send for a new event: what the person left empty is left out, except what every event needs. */
export function fieldsToCreate(fields) {
  const out = { subject: fields.subject, start: fields.start, end: fields.end, timezone: fields.timezone };
  if (fields.is_all_day) out.is_all_day = true;
  if (fields.location) out.location = fields.location;
  if (fields.attendees.length > 0) out.attendees = fields.attendees;
  if (fields.reminder_minutes !== '') out.reminder_minutes = fields.reminder_minutes;
  if (fields.body) Object.assign(out, { body: fields.body, body_type: 'text' });
  return out;
}

/** What to send for a change: only what differs. */
export function fieldsToChange(before, after) {
  const differs = (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  const out = {};
  for (const name of ['subject', 'is_all_day', 'location', 'attendees']) {
    if (differs(name)) out[name] = after[name];
  }
  // Start, end and zone are one thing: a start moved past the old end, or the same clock time in another
  // zone, means something else without the others.
  if (['start', 'end', 'timezone', 'is_all_day'].some(differs)) {
    Object.assign(out, { start: after.start, end: after.end, timezone: after.timezone });
  }
  // The API has no way to take a reminder away, so an emptied field changes nothing (the hint says so).
  if (differs('reminder_minutes') && after.reminder_minutes !== '') out.reminder_minutes = after.reminder_minutes;
  if (differs('body')) Object.assign(out, { body: after.body, body_type: 'text' });
  return out;
}

function rememberSpan() {
  const start = timeValue('form-start');
  const end = timeValue('form-end');
  span = start && end ? { start, end } : null;
}

function setTimes(allDay, start, end) {
  hook('form-all-day').checked = allDay;
  for (const [name, value] of [['form-start', start], ['form-end', end]]) {
    // The type first: an input drops a value that is not of its type.
    hook(name).type = allDay ? 'date' : 'datetime-local';
    hook(name).value = value;
  }
  hook('label-end').textContent = allDay ? 'Last day' : 'Ends';
  rememberSpan();
}

function fillTexts({ subject = '', location = '', attendees = '', reminder = '', body = '' }) {
  hook('form-timezone').value = zone;
  hook('form-subject').value = subject;
  hook('form-location').value = location;
  hook('form-attendees').value = attendees;
  hook('form-reminder').value = reminder;
  hook('form-body').value = body;
}

/** Fills the fields for a new event on a date: the next full hour today, nine o'clock on other days. */
export function fillForNew(date) {
  const next = shift(wallOf(new Date()), HOUR);
  const start = date === today() ? `${next.slice(0, 13)}:00:00` : `${date}T09:00:00`;
  fillTexts({});
  setTimes(false, start, shift(start, HOUR));
}

/** Fills the fields from an event. HTML bodies are never shown: their preview, plain text, stands for them. */
export function fillFromEvent(event) {
  const text = event.body?.contentType?.toLowerCase() === 'text';
  fillTexts({
    subject: event.subject ?? '',
    location: event.location?.displayName ?? '',
    attendees: (event.attendees ?? []).map((one) => one.emailAddress?.address).filter(Boolean).join('\n'),
    reminder: event.isReminderOn ? String(event.reminderMinutesBeforeStart ?? '') : '',
    body: (text ? event.body.content : event.bodyPreview) ?? '',
  });
  const times = timesOf(event);
  if (event.isAllDay) setTimes(true, times.start.slice(0, 10), lastDay(times));
  else setTimes(false, times.start, times.end);
}

/** Turns times into dates and back; the dates stay. */
function switchAllDay() {
  const allDay = hook('form-all-day').checked;
  const start = timeValue('form-start');
  const end = timeValue('form-end');
  if (allDay) setTimes(true, start.slice(0, 10), end && start ? lastDay({ start, end }) : end.slice(0, 10));
  else setTimes(false, start && `${start}T09:00:00`, end && `${end}T10:00:00`);
}

/** Moves the end along with the start, so that the event stays as long as it was. */
function moveEnd() {
  const start = timeValue('form-start');
  // While a year is being typed it is one of the first centuries: not meant yet.
  if (span && start.length === span.start.length && start >= '1000') {
    const moved = Date.parse(`${start}Z`) - Date.parse(`${span.start}Z`);
    hook('form-end').value = shift(span.end, moved);
  }
  rememberSpan();
}

export function wireFields() {
  hook('form-all-day').addEventListener('change', switchAllDay);
  hook('form-start').addEventListener('change', moveEnd);
  hook('form-end').addEventListener('change', rememberSpan);
}
