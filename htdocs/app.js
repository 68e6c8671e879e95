// SPDX-License-Identifier: MIT
// The page: who is signed in, and which of its views is shown.

import { connectAddress, disconnect, exchange, signInAddress, whoAmI } from './api.js';
import { closeCalendar, openCalendar, wireCalendar } from './calendar.js';
import { moment } from './dates.js';
import { ask, fillFacts, hook, parsedUrl, say, whileBusy } from './dom.js';
import { wireForm } from './form.js';
import { sentence, sentenceForCode } from './messages.js';
import { forgetSession, markSignInStarted, realm, session, takeOutcome } from './session.js';

/** view: 'loading', 'signed-out', 'connect' or 'calendar'; the last two have the account above them. */
function show(view) {
  hook('view-loading').hidden = view !== 'loading';
  hook('view-signed-out').hidden = view !== 'signed-out';
  hook('view-signed-in').hidden = view !== 'connect' && view !== 'calendar';
  hook('view-connect').hidden = view !== 'connect';
  hook('view-calendar').hidden = view !== 'calendar';
  hook('disconnect').hidden = view !== 'calendar';
}

function showSignedOut() {
  forgetSession();
  // Nothing of the person who was here stays in the document.
  closeCalendar();
  showPerson({}, {});
  show('signed-out');
}

function showConnect() {
  closeCalendar();
  hook('whoami-microsoft').textContent = 'Microsoft is not connected';
  hook('whoami').dataset.connected = 'false';
  hook('whoami-details').hidden = true;
  show('connect');
}

/** Shows what went wrong, and the view that it leads to. */
function report(problem) {
  if (problem.code === 'signed_out' || problem.code === 'wrong_realm') showSignedOut();
  else if (problem.code === 'microsoft_auth_required') showConnect();
  say(sentence(problem), 'error');
}

function initials(name) {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  return words.slice(0, 2).map((word) => [...word][0].toUpperCase()).join('');
}

function showPerson(person, microsoft) {
  const name = person.full_name || person.email || (person.id ? `Account ${person.id}` : '');
  hook('avatar').textContent = initials(name);
  hook('whoami-name').textContent = name;
  hook('whoami-email').textContent = person.full_name ? person.email ?? '' : '';
  const account = microsoft.email || microsoft.id || '';
  hook('whoami-microsoft').textContent = microsoft.connected ? `Connected to Microsoft as ${account}` : 'Microsoft is not connected';
  hook('whoami').dataset.connected = String(microsoft.connected === true);
  hook('whoami-details').hidden = !microsoft.connected;
  fillFacts(hook('whoami-facts'), [
    ['Account id', person.id],
    ['Microsoft account', microsoft.email],
    ['Microsoft id', microsoft.id],
    ['Tenant', microsoft.tenant_id],
    ['Allowed', (microsoft.scopes ?? []).join(', ')],
    ['Microsoft’s token is valid until', moment(microsoft.expires_at)],
    ['Last used', moment(microsoft.last_used_at)],
  ]);
}

/** Asks who is signed in and shows what belongs to them. */
async function showAccount() {
  try {
    const { person, microsoft } = await whoAmI();
    showPerson(person, microsoft);
    if (!microsoft.connected) {
      showConnect();
      return;
    }
    show('calendar');
    await openCalendar();
  } catch (problem) {
    // Without an account to show, the page offers the one thing that still makes sense: to try again.
    if (!hook('view-loading').hidden) show('calendar');
    report(problem);
  }
}

/** Leaves for Microsoft. Whatever the answer holds, only a web address is gone to. */
function leaveFor(address) {
  const url = parsedUrl(address);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') location.assign(url.href);
  else say('The server gave no address to go on at.', 'error');
}

async function signIn() {
  say('Taking you to Microsoft…');
  try {
    const address = await signInAddress();
    markSignInStarted();
    leaveFor(address);
  } catch (problem) {
    report(problem);
  }
}

async function connect() {
  say('Taking you to Microsoft…');
  try {
    leaveFor(await connectAddress());
  } catch (problem) {
    report(problem);
  }
}

async function askAndDisconnect() {
  const yes = await ask({
    title: 'Disconnect Microsoft?',
    text: 'This site forgets its access to your Microsoft calendar. Nothing in the calendar changes, and you can connect again at any time.',
    yes: 'Disconnect',
  });
  if (!yes) return;
  try {
    await disconnect();
    showConnect();
    say('Microsoft is disconnected.', 'success');
    hook('connect-title').focus();
  } catch (problem) {
    report(problem);
  }
}

function signOut() {
  showSignedOut();
  say('You are signed out.', 'success');
  hook('signin').focus();
}

/** What Microsoft's answer, if the page was just come back to, means for the session. */
async function settle({ sessionCode, error, connected, startedHere }) {
  if (error !== null) {
    say(sentenceForCode(error), 'error');
  } else if (sessionCode !== null && !startedHere) {
    say('That sign-in was not started in this tab, so it was not used. Sign in here.', 'error');
  } else if (sessionCode !== null) {
    say('Signing you in…');
    // A new sign-in replaces whoever was here before, also when it fails.
    forgetSession();
    try {
      await exchange(sessionCode);
      say('You are signed in.', 'success');
    } catch (problem) {
      say(sentence(problem), 'error');
    }
  } else if (connected) {
    say('Microsoft is connected.', 'success');
  }
}

function wire() {
  const link = hook(`realm-${realm.name}`);
  link.setAttribute('aria-current', 'page');
  wireCalendar(report);
  wireForm();
  hook('signin').addEventListener('click', (click) => whileBusy(click.currentTarget, signIn));
  hook('connect').addEventListener('click', (click) => whileBusy(click.currentTarget, connect));
  hook('disconnect').addEventListener('click', (click) => whileBusy(click.currentTarget, askAndDisconnect));
  hook('signout').addEventListener('click', signOut);
  hook('refresh').addEventListener('click', (click) => whileBusy(click.currentTarget, () => {
    say('');
    return showAccount();
  }));
  // "Back" from Microsoft may bring the page as it was when it was left, words and all.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
}

const outcome = takeOutcome();
wire();
await settle(outcome);
if (session()) await showAccount();
else show('signed-out');
