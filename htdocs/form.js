// SPDX-License-Identifier: MIT
// The dialog to create, change or delete an event, and the API's word on its fields.

import { changeEvent, createEvent, deleteEvent, oneEvent } from './api.js';
import { zone } from './dates.js';
import { ask, el, fillFacts, hook, outsideLink, say, whileBusy } from './dom.js';
import { fieldsToChange, fieldsToCreate, fillForNew, fillFromEvent, readFields, wireFields } from './fields.js';
import { sentence } from './messages.js';

// The API's field names in the order of the form, and the control that each belongs to.
const CONTROLS = {
  subject: 'form-subject',
  is_all_day: 'form-all-day',
  start: 'form-start',
  end: 'form-end',
  timezone: 'form-timezone',
  reminder_minutes: 'form-reminder',
  location: 'form-location',
  attendees: 'form-attendees',
  body: 'form-body',
};

// The form that is open: what it was opened with, plus its key (new) or the values it began with (change).
let open = null;

function randomKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Plain http on another host than localhost has no randomUUID.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function showSummary(text, withReload = false) {
  hook('form-summary-text').textContent = text;
  hook('form-reload').hidden = !withReload;
  hook('form-summary').hidden = text === '';
}

function clearErrors() {
  showSummary('');
  for (const [field, control] of Object.entries(CONTROLS)) {
    hook(`error-${field}`).textContent = '';
    hook(control).removeAttribute('aria-invalid');
  }
}

/** 'attendees[2]' and 'attendees.2' belong to attendees; the body's type is not a control of its own. */
function controlField(field) {
  const name = String(field).split(/[.[]/)[0];
  return name === 'body_type' ? 'body' : name;
}

/** Puts each fault beside its field and the focus on the first; what has no field goes to the summary. */
function showFieldErrors(problem) {
  const elsewhere = [];
  for (const { field, detail } of problem.errors) {
    const name = controlField(field);
    if (!Object.hasOwn(CONTROLS, name)) {
      elsewhere.push(`${field}: ${detail}`);
      continue;
    }
    const place = hook(`error-${name}`);
    place.textContent = place.textContent ? `${place.textContent} ${detail}` : detail;
    hook(CONTROLS[name]).setAttribute('aria-invalid', 'true');
  }
  const first = Object.values(CONTROLS).find((control) => hook(control).hasAttribute('aria-invalid'));
  showSummary(elsewhere.join(' ') || (first ? '' : sentence(problem)));
  hook(first ?? 'form-title').focus();
}

/** Shows a problem in the form; an ended session or connection is the page's to show. */
function showProblem(problem) {
  if (problem.code === 'signed_out' || problem.code === 'microsoft_auth_required') {
    const { report } = open;
    hook('form-dialog').close();
    report(problem);
    return;
  }
  if (problem.status === 422 && problem.errors.length > 0) {
    showFieldErrors(problem);
    return;
  }
  showSummary(sentence(problem), problem.status === 412);
}

/** 'Noor Vos: yes, Kim Lund: maybe' */
function answers(event) {
  const words = { accepted: 'yes', declined: 'no', tentativelyAccepted: 'maybe' };
  return (event.attendees ?? [])
    .filter(({ status }) => words[status?.response])
    .map(({ emailAddress, status }) => `${emailAddress?.name || emailAddress?.address}: ${words[status.response]}`)
    .join(', ');
}

function showFacts(event) {
  const organizer = event?.organizer?.emailAddress;
  const pairs = event ? [
    ['Organiser', event.isOrganizer === false && (organizer?.name || organizer?.address)],
    ['Answers', answers(event)],
    ['Online', outsideLink(event.onlineMeeting?.joinUrl, 'Join the meeting', { 'data-testid': 'form-join' })],
    ['Outlook', outsideLink(event.webLink, 'Open in Outlook', { 'data-testid': 'form-outlook' })],
  ] : [];
  hook('form-facts').hidden = !fillFacts(hook('form-facts'), pairs);
}

function noteFor({ event, readOnly }) {
  if (readOnly) return 'This calendar can only be read.';
  if (!event) return '';
  const notes = [];
  if (event.type === 'occurrence' || event.type === 'exception') notes.push('This is one occurrence of a series. Changing or deleting it leaves the others as they are.');
  if (event.type === 'seriesMaster') notes.push('This is a whole series. Changing or deleting it is for all its occurrences.');
  if (event.isOrganizer === false) notes.push('Somebody else organises this. Changes are for your own copy only.');
  return notes.join(' ');
}

function bodyHint(event) {
  if (!event?.body || event.body.contentType?.toLowerCase() === 'text') return '';
  const online = event.isOnlineMeeting ? ', the joining details of the meeting included' : '';
  return `The beginning, as plain text. Changing it replaces the whole description${online}.`;
}

/** Fills the dialog for the event of `open`, or for a new one. */
function fill() {
  const { event, readOnly, date } = open;
  clearErrors();
  hook('form-title').textContent = event ? 'Edit event' : 'New event';
  hook('form-note').textContent = noteFor(open);
  hook('form-note').hidden = hook('form-note').textContent === '';
  hook('hint-body').textContent = bodyHint(event);
  hook('hint-reminder').textContent = event ? 'Emptying this keeps the present reminder.' : '';
  hook('form-save').hidden = readOnly === true;
  hook('form-delete').hidden = !event || readOnly === true;
  showFacts(event);
  if (event) fillFromEvent(event);
  else fillForNew(date);
  open.before = readFields();
}

/** Ends the form that did its work, unless the person has closed it and opened another meanwhile. */
function finish(form, text, event) {
  say(text, 'success');
  if (open === form) hook('form-dialog').close();
  form.done(event);
}

async function save() {
  const form = open;
  const { event, calendarId, key, before } = form;
  const fields = readFields();
  clearErrors();
  try {
    if (!event) {
      const made = await createEvent(fieldsToCreate(fields), { calendarId, key });
      finish(form, 'The event was created.', made);
      return;
    }
    const changes = fieldsToChange(before, fields);
    if (Object.keys(changes).length === 0) {
      hook('form-dialog').close();
      say('Nothing was changed.');
      return;
    }
    const changed = await changeEvent(event.id, changes, event['@odata.etag']);
    finish(form, 'The event was changed.', changed ?? event);
  } catch (problem) {
    if (open === form) showProblem(problem);
    else form.report(problem);
  }
}

async function remove() {
  const form = open;
  const { event } = form;
  const one = event.type === 'occurrence' || event.type === 'exception';
  const yes = await ask({
    title: one ? 'Delete this occurrence?' : 'Delete this event?',
    text: `“${event.subject || '(no subject)'}” is deleted from your calendar${event.isOrganizer && event.attendees?.length ? ', and Microsoft tells the attendees' : ''}.`,
    yes: 'Delete',
  });
  if (!yes) return;
  clearErrors();
  try {
    await deleteEvent(event.id);
    finish(form, 'The event was deleted.');
  } catch (problem) {
    // Deleted elsewhere is deleted: there is nothing left to try again.
    if (problem.code === 'not_found') finish(form, sentence(problem));
    else if (open === form) showProblem(problem);
    else form.report(problem);
  }
}

async function reload() {
  const form = open;
  try {
    const event = await oneEvent(form.event.id);
    if (open !== form) return;
    form.event = event;
    fill();
    hook('form-title').focus();
  } catch (problem) {
    if (open === form) showProblem(problem);
  }
}

/**
 * Opens the dialog. With `event`: to change or delete it. Without: a new one, on `date`, in the calendar
 * `calendarId`. `done(event)` follows each change, `report(problem)` gets what the dialog cannot show.
 */
export function openForm({ event, date, calendarId, readOnly, report, done }) {
  // One key for the form's life: a second "Save" after a lost answer does not make a second event.
  open = { event, date, calendarId, readOnly, report, done, key: randomKey() };
  say('');
  fill();
  hook('form-dialog').showModal();
  hook(event ? 'form-title' : 'form-subject').focus();
}

function zoneNames() {
  const some = ['Europe/London', 'Europe/Berlin', 'America/New_York', 'America/Los_Angeles', 'Asia/Tokyo', 'Australia/Sydney'];
  const names = Intl.supportedValuesOf ? Intl.supportedValuesOf('timeZone') : some;
  return [...new Set([zone, 'UTC', ...names])];
}

export function wireForm() {
  wireFields();
  hook('zones').append(...zoneNames().map((name) => el('option', { value: name })));
  hook('form').addEventListener('submit', (submit) => {
    submit.preventDefault();
    // Enter in a field submits even when the button is hidden.
    if (!open.readOnly) whileBusy(hook('form-save'), save);
  });
  hook('form-delete').addEventListener('click', (click) => whileBusy(click.currentTarget, remove));
  hook('form-reload').addEventListener('click', (click) => whileBusy(click.currentTarget, reload));
  hook('form-cancel').addEventListener('click', () => hook('form-dialog').close());
  hook('form-dialog').addEventListener('close', () => {
    // The event comes a moment later: by then another form may be open.
    if (hook('form-dialog').open) return;
    open = null;
    // The next person at this tab finds nothing of the event in the closed dialog.
    hook('form').reset();
    hook('form-facts').replaceChildren();
    clearErrors();
  });
}
