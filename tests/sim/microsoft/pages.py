# SPDX-License-Identifier: MIT
"""The identity platform's pages: plain forms, usable with a keyboard and without scripts."""

from html import escape

_STYLE = """body{font-family:sans-serif;background:#f2f2f2;margin:0;display:grid;place-items:center;min-height:100vh}
main{background:#fff;padding:2.5rem;width:22rem;box-shadow:0 2px 6px #0003}h1{font-size:1.4rem;margin:0 0 1rem}
ul{list-style:none;padding:0;margin:0 0 1rem}li{margin:.3rem 0}button{font:inherit;padding:.6rem 1rem;cursor:pointer}
li button{width:100%;text-align:left}small{display:block;color:#555}input[type=text]{font:inherit;padding:.5rem;width:95%}
.note{color:#555;font-size:.8rem;border-top:1px solid #ddd;padding-top:.8rem}"""
_POLICY = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
HEADERS = [_POLICY, ("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff")]


def page(title: str, inner: str) -> str:
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
            f'<body><main><h1>{escape(title)}</h1>\n{inner}\n'
            '<p class="note">This is a simulator for tests. It is not Microsoft.</p></main></body>\n</html>\n')


def _form(action: str, flow: str, inner: str, name: str) -> str:
    return (f'<form method="post" action="{escape(action)}" id="{name}">'
            f'<input type="hidden" name="flow" value="{escape(flow)}">{inner}</form>')


def picker(action: str, flow: str, app_name: str, users: list, hint: str = "") -> str:
    rows = "".join(
        f'<li><button type="submit" name="account" value="{escape(user.key)}"{" autofocus" if not index else ""}>'
        f'{escape(user.name)}<small>{escape(user.upn)}</small></button></li>' for index, user in enumerate(users))
    other = ('<p><label for="username">Use another account</label><br>'
             f'<input type="text" id="username" name="username" autocomplete="off" value="{escape(hint)}"> '
             '<button type="submit" name="next" value="1">Next</button></p>')
    cancel = '<button type="submit" name="cancel" value="1">Cancel</button>'
    return page("Pick an account", f"<p>to continue to {escape(app_name)}</p>" + _form(action, flow, f"<ul>{rows}</ul>", "accounts")
                + _form(action, flow, other, "other") + _form(action, flow, cancel, "leave"))


def consent(action: str, flow: str, app_name: str, user, scopes: list) -> str:
    rows = "".join(f"<li>{escape(name)}</li>" for name in scopes)
    buttons = ('<button type="submit" name="accept" value="1" autofocus>Accept</button> '
               '<button type="submit" name="cancel" value="1">Cancel</button>')
    return page("Permissions requested", f"<p>{escape(user.upn)}</p><p>{escape(app_name)} would like to:</p><ul>{rows}</ul>"
                + _form(action, flow, buttons, "consent"))


def approval(action: str, flow: str, app_name: str, user) -> str:
    button = ('<button type="submit" name="cancel" value="1" autofocus>'
              "Return to the application without granting consent</button>")
    return page("Need admin approval", f"<p>{escape(user.upn)}</p><p>{escape(app_name)} needs permission that only an "
                "admin can grant.</p>" + _form(action, flow, button, "approval"))


def error(problem) -> str:
    text = "<br>".join(escape(line) for line in problem.description().split("\r\n"))
    return page("Sorry, but we're having trouble signing you in", f"<p>{text}</p>")


def signed_out() -> str:
    return page("You signed out of your account", "<p>It's a good idea to close all browser windows.</p>")


def form_post(target: str, fields: list) -> str:
    """response_mode=form_post: a cross-site POST, made by script or, without one, by the button."""
    inputs = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields)
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Working...</title></head>'
            f'<body><form method="POST" name="hiddenform" action="{escape(target)}">{inputs}'
            '<noscript><p>Script is disabled. Click Submit to continue.</p><button type="submit">Submit</button></noscript>'
            "</form><script>document.forms[0].submit();</script></body></html>\n")
