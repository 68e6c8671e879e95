// SPDX-License-Identifier: MIT
// Sentences for people: one for each error code, and what to add from the answer itself.

const SENTENCES = {
  account_unknown: 'This Microsoft account is not known here. Ask the site’s administrator for access.',
  admin_consent_required: 'Your organisation’s administrator has to approve this application before you can sign in.',
  conflict: 'Somebody else was changing this at the same moment. Try again.',
  consent_declined: 'You did not give your consent at Microsoft, so nothing was connected.',
  cursor_invalid: 'The list of events is out of date. Reload it.',
  database_unavailable: 'The service cannot reach its database at the moment.',
  id_token_invalid: 'Microsoft’s answer could not be verified, so you were not signed in. Try again.',
  invalid_token: 'Your session has ended. Sign in again.',
  microsoft_auth_failed: 'Microsoft did not accept the sign-in. Try again.',
  microsoft_auth_required: 'Microsoft is not connected, or the connection has ended. Connect it again to go on.',
  microsoft_client_rejected: 'Microsoft does not accept this site’s registration. The site’s administrator has to repair it.',
  microsoft_forbidden: 'Your Microsoft account may not do this.',
  microsoft_rejected: 'Microsoft did not accept this.',
  microsoft_throttled: 'Microsoft asks to slow down.',
  microsoft_timeout: 'Microsoft took too long to answer.',
  microsoft_unavailable: 'Microsoft cannot be reached at the moment. Try again in a little while.',
  network: 'The server cannot be reached. Check your connection and try again.',
  not_configured: 'The service is not set up completely yet. The site’s administrator has to finish it.',
  not_found: 'This no longer exists. It may have been deleted elsewhere.',
  precondition_failed: 'This event was changed elsewhere since you opened it.',
  rate_limited: 'That was too many requests.',
  session_code_invalid: 'This sign-in was used already or took too long. Sign in again.',
  signed_out: 'Your session has ended. Sign in again.',
  state_invalid: 'The sign-in took too long or came from another browser. Sign in again.',
  wrong_realm: 'Your session belongs to the other realm. Sign out and sign in here.',
};

// Where our own words serve a person better than the API's detail: they say what to do on this page.
const OUR_WORDS = new Set(['invalid_token', 'microsoft_auth_required', 'network', 'precondition_failed', 'session_code_invalid', 'signed_out', 'wrong_realm']);

/** The sentence for the error code of a redirect. The code is a stranger's text: it is never shown itself. */
export function sentenceForCode(code) {
  return Object.hasOwn(SENTENCES, code) ? SENTENCES[code] : 'The sign-in did not work. Try again.';
}

function seconds(count) {
  return count === 1 ? '1 second' : `${count} seconds`;
}

/** The whole sentence for a Problem of api.js; anything else is a fault of this page. */
export function sentence(problem) {
  if (!problem.code) return 'Something went wrong in this page. Reload it and try again.';
  const known = Object.hasOwn(SENTENCES, problem.code) ? SENTENCES[problem.code] : '';
  const words = OUR_WORDS.has(problem.code) ? known : problem.detail || known;
  const parts = [words || `The server refused this (${problem.status}).`];
  if (problem.retryAfter !== null) parts.push(`Try again in ${seconds(problem.retryAfter)}.`);
  if (problem.status >= 500 && problem.requestId) parts.push(`If it goes on, tell the administrator this request id: ${problem.requestId}`);
  return parts.join(' ');
}
