// SPDX-License-Identifier: MIT
// Dates and wall-clock times as strings: 'YYYY-MM-DD' and 'YYYY-MM-DDTHH:MM:SS'.
//
// The API gives times as the clock on the wall shows them in the zone that was asked for, without an
// offset. They are kept as such: arithmetic goes through UTC, where no hour is skipped or repeated.

/** The page's time zone, the browser's. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

// The page speaks English; a reader of English keeps their own way to write dates and hours.
const locale = /^en\b/.test(navigator.language) ? navigator.language : 'en-GB';

function two(number) {
  return String(number).padStart(2, '0');
}

/** An instant as wall-clock time in the page's zone. */
export function wallOf(instant) {
  const date = `${String(instant.getFullYear()).padStart(4, '0')}-${two(instant.getMonth() + 1)}-${two(instant.getDate())}`;
  return `${date}T${two(instant.getHours())}:${two(instant.getMinutes())}:${two(instant.getSeconds())}`;
}

export function today() {
  return wallOf(new Date()).slice(0, 10);
}

/** A wall-clock time or a date moved by milliseconds, in the form that it came. */
export function shift(wall, milliseconds) {
  const moved = new Date(asUtc(wall).getTime() + milliseconds).toISOString();
  return moved.slice(0, wall.length === 10 ? 10 : 19);
}

export function asUtc(wall) {
  return new Date(wall.length === 10 ? `${wall}T00:00:00Z` : `${wall}Z`);
}

const DAY = 86_400_000;

export function addDays(wall, days) {
  return shift(wall, days * DAY);
}

/** The Monday of a date's week. */
export function mondayOf(date) {
  return addDays(date, -((asUtc(date).getUTCDay() + 6) % 7));
}

/** The seven dates that begin with a Monday. */
export function weekFrom(monday) {
  return Array.from({ length: 7 }, (_, index) => addDays(monday, index));
}

/**
 * The window to ask for: a day wider than the week at each side. No zone is further than that from UTC,
 * and all-day events are matched by UTC midnights. What is too much is left out by daysOf().
 */
export function windowAround(monday) {
  return { from: `${addDays(monday, -1)}T00:00:00Z`, to: `${addDays(monday, 8)}T00:00:00Z` };
}

/**
 * { start, end } of an event as wall-clock times. All-day events float: their dates are theirs in every
 * zone. A single event, or an answer that could not know our zone, is in UTC and is moved to the page's.
 */
export function timesOf(event) {
  const wall = (moment) => {
    const time = String(moment?.dateTime ?? '').slice(0, 19);
    const utc = /^(etc\/)?(utc|gmt)$|microsoft\/utc$/i.test(moment?.timeZone ?? '');
    return utc && time && !event.isAllDay ? wallOf(asUtc(time)) : time;
  };
  return { start: wall(event.start), end: wall(event.end) };
}

/** The last date on which an event still takes place: an end at midnight is the day before's. */
export function lastDay({ start, end }) {
  const date = end.slice(0, 10);
  return end.slice(11) === '00:00:00' && end > start ? addDays(date, -1) : date;
}

/** 'Monday', '2 Mar', '2–8 March 2026', '09:30' */
export function weekdayName(date) {
  return new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(asUtc(date));
}

export function shortDate(date) {
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(asUtc(date));
}

export function weekTitle(monday) {
  const format = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
  return format.formatRange(asUtc(monday), asUtc(addDays(monday, 6)));
}

// timeStyle, not hour: 'numeric', which gives '6:00' alone but '06:00' in a range.
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: 'UTC' });

export function hour(wall) {
  return clock.format(asUtc(wall));
}

/** '09:30 – 10:00', or '9:30 – 10:00 AM'. An hour set back at night may end before it starts. */
export function hours(start, end) {
  return start <= end ? clock.formatRange(asUtc(start), asUtc(end)) : `${hour(start)} – ${hour(end)}`;
}

/** An instant of the API (RFC 3339) for a person, or '' when there is none. */
export function moment(rfc3339) {
  const instant = new Date(rfc3339 ?? NaN);
  if (Number.isNaN(instant.getTime())) return '';
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(instant);
}
