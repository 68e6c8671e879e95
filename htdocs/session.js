// SPDX-License-Identifier: MIT
// Which realm this page is for, its session in this tab, and what the address bar brought back from Microsoft.

const REALMS = {
  main: { name: 'main', prefix: '/api/v1', person: 'user' },
  beta: { name: 'beta', prefix: '/api/v1/beta', person: 'teacher' },
};

/** The realm that the page's address chooses; a stranger's value is main. */
export const realm = new URLSearchParams(location.search).get('realm') === 'beta' ? REALMS.beta : REALMS.main;

// Keys carry the realm's name: a token of one realm is never sent to the other. sessionStorage, not
// localStorage: the tokens go when the tab does.
const SESSION = `graphgate.${realm.name}.session`;
const STARTED = `graphgate.${realm.name}.signin-started`;

/** { access_token, refresh_token }, or null when signed out. */
export function session() {
  try {
    return JSON.parse(sessionStorage.getItem(SESSION));
  } catch {
    return null;
  }
}

export function keepSession({ access_token, refresh_token }) {
  sessionStorage.setItem(SESSION, JSON.stringify({ access_token, refresh_token }));
}

export function forgetSession() {
  sessionStorage.removeItem(SESSION);
}

/** This page without anything that a sign-in may have added: where Microsoft's answer comes back to. */
export function pageAddress() {
  const query = realm.name === 'beta' ? '?realm=beta' : '';
  return location.origin + location.pathname + query;
}

/**
 * Remembers that this tab asked for a sign-in. Without it, a link with somebody else's session code would
 * sign the visitor in to that somebody's account.
 */
export function markSignInStarted() {
  sessionStorage.setItem(STARTED, '1');
}

/**
 * Takes the outcome of a sign-in or a connect out of the address bar, at once, so that a code is neither
 * kept in the history nor bookmarked. Returns { sessionCode, error, connected, startedHere }.
 */
export function takeOutcome() {
  const query = new URLSearchParams(location.search);
  const outcome = {
    sessionCode: query.get('session_code'),
    error: query.get('error'),
    connected: query.get('connected') === '1',
    startedHere: sessionStorage.getItem(STARTED) !== null,
  };
  if (outcome.sessionCode !== null || outcome.error !== null || outcome.connected) {
    sessionStorage.removeItem(STARTED);
    history.replaceState(null, '', pageAddress());
  }
  return outcome;
}
