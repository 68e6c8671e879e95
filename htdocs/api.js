// SPDX-License-Identifier: MIT
// Calls of graphgate's API: the caller's token, one refresh when it has run out, and problems as exceptions.

import { forgetSession, keepSession, pageAddress, realm, session } from './session.js';

// Longer than the server's own deadline, so that its answer, not this, is what a person normally sees.
const PATIENCE_MS = 60_000;
// A list with more pages than this is a fault somewhere; stopping keeps the page alive.
const MOST_PAGES = 40;

/** An error answer of the API (RFC 9457), or what stands for one: code 'network' or 'signed_out'. */
export class Problem extends Error {
  constructor({ status = 0, code = '', detail = '', errors = [], requestId = '', retryAfter = null }) {
    super(code);
    Object.assign(this, { status, code, detail, errors, requestId, retryAfter });
  }
}

/** Seconds to wait, from a number or an HTTP date; null when there is none. */
function retryAfterOf(response) {
  const value = response.headers.get('Retry-After');
  if (value === null) return null;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(wait) ? Math.max(1, Math.ceil(wait)) : null;
}

async function problemOf(response) {
  let body = {};
  try {
    // A web server in front may answer with a page of its own: then only the status is known.
    body = (await response.json()) ?? {};
  } catch { /* not JSON: see above */ }
  return new Problem({
    status: response.status,
    code: typeof body.code === 'string' ? body.code : 'unknown',
    detail: typeof body.detail === 'string' ? body.detail : '',
    errors: Array.isArray(body.errors) ? body.errors : [],
    requestId: body.request_id || response.headers.get('X-Request-ID') || '',
    retryAfter: retryAfterOf(response),
  });
}

async function send(method, path, { body, headers = {}, token }) {
  const all = { Accept: 'application/json', ...headers };
  if (body !== undefined) all['Content-Type'] = 'application/json';
  if (token) all.Authorization = `Bearer ${token}`;
  try {
    return await fetch(path, {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Problem({ code: 'network' });
  }
}

async function answerOf(response) {
  if (!response.ok) throw await problemOf(response);
  try {
    return await response.json();
  } catch {
    throw new Problem({ code: 'network' });
  }
}

let refreshing = null;

async function refresh(spent) {
  const response = await send('POST', `${realm.prefix}/auth/refresh`, { body: { refresh_token: spent.refresh_token } });
  if (!response.ok) {
    const problem = await problemOf(response);
    // Only a plain refusal ends the session; an outage or a limit leaves it for another try.
    if (problem.status >= 500 || problem.status === 429) throw problem;
    if (session()?.refresh_token === spent.refresh_token) forgetSession();
    throw new Problem({ code: 'signed_out' });
  }
  const pair = await answerOf(response);
  // The person may have signed out meanwhile: the answer must not sign them in again.
  if (session()?.refresh_token !== spent.refresh_token) throw new Problem({ code: 'signed_out' });
  keepSession(pair);
}

/** Gets a new token in place of a refused one. Concurrent calls share one request: a refresh token works once. */
async function renew(refused) {
  const now = session();
  if (!now) throw new Problem({ code: 'signed_out' });
  if (now.access_token !== refused) return;
  refreshing ??= refresh(now).finally(() => { refreshing = null; });
  await refreshing;
}

/** One call with the session's token; resolves to the JSON answer, throws Problem. */
async function call(method, path, options = {}) {
  const token = session()?.access_token;
  if (!token) throw new Problem({ code: 'signed_out' });
  const first = await send(method, realm.prefix + path, { ...options, token });
  if (first.status !== 401) return answerOf(first);

  const problem = await problemOf(first);
  if (problem.code !== 'invalid_token') throw problem;
  await renew(token);
  const again = session()?.access_token;
  const second = await send(method, realm.prefix + path, { ...options, token: again });
  if (second.ok || second.status !== 401) return answerOf(second);
  const refused = await problemOf(second);
  if (refused.code !== 'invalid_token') throw refused;
  forgetSession();
  throw new Problem({ code: 'signed_out' });
}

const CALENDAR = '/integration/microsoft/calendar';

function query(parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value);
  return set.length === 0 ? '' : `?${new URLSearchParams(set)}`;
}

function eventPath(id) {
  return `${CALENDAR}/events/${encodeURIComponent(id)}`;
}

/** Where to go to sign in; no session needed. */
export async function signInAddress() {
  const path = `${realm.prefix}/auth/microsoft/${query({ return_to: pageAddress() })}`;
  return (await answerOf(await send('GET', path, {}))).auth_url;
}

/** Where to go to connect Microsoft to the account that is signed in. */
export async function connectAddress() {
  return (await call('GET', `/auth/microsoft/${query({ return_to: pageAddress() })}`)).auth_url;
}

/** Turns the single-use code of a sign-in into a session. */
export async function exchange(sessionCode) {
  const path = `${realm.prefix}/auth/microsoft/exchange`;
  keepSession(await answerOf(await send('POST', path, { body: { session_code: sessionCode } })));
}

/** { person, microsoft }: who is signed in, and the Microsoft account connected to them. */
export async function whoAmI() {
  const answer = await call('GET', '/auth/microsoft/user');
  return { person: answer[realm.person] ?? {}, microsoft: answer.microsoft ?? {} };
}

export function disconnect() {
  return call('DELETE', '/auth/microsoft/token');
}

/** { calendars, default_calendar } */
export async function calendars() {
  return (await call('GET', `${CALENDAR}/`)).event;
}

/** Every event that touches the window, all pages of it: { events, complete }. */
export async function eventsBetween({ from, to, calendarId, timezone }) {
  const events = [];
  let parameters = { start_time: from, end_time: to, calendar_id: calendarId, timezone, limit: 250 };
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await call('GET', `${CALENDAR}/events${query(parameters)}`);
    events.push(...answer.events);
    if (!answer.next_cursor) return { events, complete: true };
    parameters = { cursor: answer.next_cursor };
  }
  return { events, complete: false };
}

export async function oneEvent(id) {
  return (await call('GET', eventPath(id))).event;
}

/** The key makes a repeat of the same form the same event, should the first answer get lost. */
export async function createEvent(fields, { calendarId, key }) {
  const path = `${CALENDAR}/events${query({ calendar_id: calendarId })}`;
  return (await call('POST', path, { body: fields, headers: { 'Idempotency-Key': key } })).event;
}

/** The etag makes sure that nobody's change in between is overwritten unseen (412). */
export async function changeEvent(id, fields, etag) {
  const headers = etag ? { 'If-Match': etag } : {};
  return (await call('PATCH', eventPath(id), { body: fields, headers })).event;
}

export function deleteEvent(id) {
  return call('DELETE', eventPath(id));
}
