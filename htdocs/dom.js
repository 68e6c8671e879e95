// SPDX-License-Identifier: MIT
// The page's elements, by the same hooks that the tests use, and safe ways to make new ones.

/** The one element with this data-testid. */
export function hook(name) {
  return document.querySelector(`[data-testid="${name}"]`);
}

/**
 * Makes an element. `text` becomes its text content, every other property an attribute. Nothing here
 * parses markup: subjects, names and places come from strangers.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'text') node.textContent = value;
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

/** Fills a dl with [term, description] pairs; a description is a string or a node, empty ones are left out. */
export function fillFacts(list, pairs) {
  const rows = pairs.filter(([, what]) => what).flatMap(([term, what]) => {
    const dd = el('dd');
    dd.append(what);
    return [el('dt', { text: term }), dd];
  });
  list.replaceChildren(...rows);
  return rows.length > 0;
}

/** A URL object, or null for what is not an absolute address. */
export function parsedUrl(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

/** A link to another site, or nothing unless the address is https: (a join link may hold javascript:). */
export function outsideLink(address, text, props = {}) {
  const url = parsedUrl(address);
  if (url?.protocol !== 'https:') return null;
  return el('a', { ...props, href: url.href, target: '_blank', rel: 'noopener noreferrer', text });
}

/** Says something in the visible status line; kind is 'info', 'success' or 'error'. */
export function say(text, kind = 'info') {
  const status = hook('status');
  status.dataset.kind = kind;
  status.textContent = text;
}

/** Says something to screen readers only. */
export function whisper(text) {
  hook('announce').textContent = text;
}

/** Asks before something that cannot be undone; resolves to true for yes. Escape is no. */
export function ask({ title, text, yes }) {
  const dialog = hook('confirm');
  hook('confirm-title').textContent = title;
  hook('confirm-text').textContent = text;
  hook('confirm-yes').textContent = yes;
  hook('confirm-yes').onclick = () => dialog.close('yes');
  hook('confirm-no').onclick = () => dialog.close('no');
  // Escape leaves the value of the last time, so it is cleared before each use.
  dialog.returnValue = '';
  dialog.showModal();
  hook('confirm-no').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      hook('confirm-text').textContent = '';
      resolve(dialog.returnValue === 'yes');
    }, { once: true });
  });
}

/**
 * Runs an action once at a time for its button. aria-disabled rather than disabled: a disabled button
 * drops the keyboard focus.
 */
export async function whileBusy(button, action) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  try {
    await action();
  } finally {
    button.removeAttribute('aria-disabled');
  }
}
