# SPDX-License-Identifier: MIT
"""Includes go downward only. The table below is the design; a change to it is made here, on purpose."""

import re

import tree

LAYERS = ("base", "ext", "proto", "store", "flow", "web", "app")

# What a layer sees beyond itself, where that is less than all layers below it.
NARROW = {
    "proto": {"base": None, "ext": {"crypto", "json"}},
    "store": {"base": None, "ext": {"db", "crypto"}, "proto": {"audit", "fernet", "seal"}},
}

# Layers whose files never include a sibling.
NO_SIBLINGS = {"ext", "store"}

# Rooms that are one library's, in two files: the second is for the first alone.
HALVES = {"ext/dbstmt": "ext/db"}

# Sources that need no header of their own.
HEADERLESS = {"app/main"}

# Foreign libraries: how their headers begin, and the one room that includes them.
FOREIGN = {
    "ext/crypto": ("openssl/",),
    "ext/http": ("curl/",),
    "ext/json": ("json-c/", "json.h", "json_"),
    "ext/db": ("mysql", "mariadb", "errmsg.h", "mysqld_error.h", "ma_"),
    "ext/fcgi": ("fcgi", "fastcgi.h"),
}

# libc and the kernel's own.
LIBC = {f"{name}.h" for name in (
    "assert ctype dirent endian errno fcntl fnmatch getopt grp inttypes libgen limits locale malloc math netdb poll pthread "
    "pwd sched setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings "
    "sysexits syslog termios threads time unistd wchar wctype").split()}
LIBC_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/", "sanitizer/")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
ROOM = re.compile(r"^gg/([a-z0-9]+)/([a-z0-9_]+)\.h$")


def sees(layer, room, other, other_room):
    """Whether layer/room may include gg/other/other_room.h."""
    whole = HALVES.get(f"{other}/{other_room}")
    if whole:
        return f"{layer}/{room}" in (whole, f"{other}/{other_room}")
    if HALVES.get(f"{layer}/{room}") == f"{other}/{other_room}":
        return True
    if other == layer:
        return layer == "ctl" or room == other_room or layer not in NO_SIBLINGS
    if layer == "ctl":
        return other in LAYERS and (other, other_room) != ("app", "main")
    if layer in NARROW:
        rooms = NARROW[layer].get(other, set())
        return rooms is None or other_room in rooms
    return other in LAYERS and LAYERS.index(other) < LAYERS.index(layer)


def check_own(report, path, layer, room, line, name):
    """One include of the project's own."""
    found = ROOM.match(name)
    if found:
        if not sees(layer, room, *found.groups()):
            report.add(path, line, f"{layer}/{room} must not see {found[1]}/{found[2]}")
    elif name == "config.h":
        if layer not in ("base", "app", "ctl") and path.suffix == ".h":
            report.add(path, line, "a header must not need config.h")
    elif "/" in name or not (layer in ("ctl", "app") and (path.parent / name).exists()):
        report.add(path, line, f'"{name}" is neither "gg/LAYER/ROOM.h" nor a private header of app or ctl')


def check_system(report, path, layer, room, line, name):
    """One include in angle brackets."""
    if name in LIBC or name.startswith(LIBC_FOLDERS):
        return
    if name.startswith("gg/"):
        report.add(path, line, f'<{name}>: the project\'s own headers are included as "{name}"')
        return
    owner = next((owner for owner, starts in FOREIGN.items() if name.startswith(starts)), None)
    if owner is None:
        report.add(path, line, f"<{name}> belongs to no library that the table knows")
    elif owner not in (f"{layer}/{room}", HALVES.get(f"{layer}/{room}")):
        report.add(path, line, f"<{name}> is for {owner} alone")


def place(root, path):
    """Layer and room of a file, or None where it stands outside the table."""
    parts = path.relative_to(root).parts
    folder = parts[1:-1] if parts[0] == "src" else parts[2:-1]
    if len(folder) != 1 or (folder[0] not in LAYERS and folder[0] != "ctl"):
        return None
    return folder[0], path.stem


def check(report):
    """All C files of the program."""
    for path in tree.files(report.root, {".c", ".h"}, "src", "include"):
        text = report.look_at(path)
        where = place(report.root, path)
        if where is None:
            report.add(path, 1, "stands in no layer: src/LAYER/ROOM.c and include/gg/LAYER/ROOM.h")
            continue
        layer, room = where
        headerless = layer == "ctl" or f"{layer}/{room}" in HEADERLESS
        header = report.root / "include" / "gg" / layer / f"{room}.h"
        if path.suffix == ".c" and not headerless and not header.exists():
            report.add(path, 1, f"has no include/gg/{layer}/{room}.h")
        for found in INCLUDE.finditer(re.sub(r"/\*.*?\*/", lambda c: "\n" * c[0].count("\n"), text, flags=re.S)):
            line = tree.line_of(text, found.start(2))
            kind = check_own if found[1] == '"' else check_system
            kind(report, path, layer, room, line, found[2])


SAMPLES = [
    ("include/gg/base/x.h", '#include "gg/ext/db.h"\n', "must not see ext/db"),
    ("include/gg/base/x.h", '#include <stdio.h>\n#include "gg/base/err.h"\n', None),
    ("include/gg/base/x.h", "#include <openssl/evp.h>\n", "is for ext/crypto alone"),
    ("include/gg/base/x.h", "#include <zlib.h>\n", "no library that the table knows"),
    ("include/gg/base/x.h", "#include <gg/base/err.h>\n", 'included as "gg/base/err.h"'),
    ("include/gg/base/x.h", '#include "err.h"\n', "neither"),
    ("include/gg/base/x.h", '/* #include "gg/web/route.h" */\n// none\n', None),
    ("include/gg/ext/http.h", '#include "gg/ext/json.h"\n', "must not see ext/json"),
    ("include/gg/ext/http.h", "#include <curl/curl.h>\n", None),
    ("include/gg/ext/json.h", "#include <curl/curl.h>\n", "is for ext/http alone"),
    ("include/gg/ext/http.h", "#include <json-c/json.h>\n", "is for ext/json alone"),
    ("include/gg/ext/http.h", "#include <mysql.h>\n", "is for ext/db alone"),
    ("include/gg/ext/http.h", "#include <mariadb/mysql.h>\n", "is for ext/db alone"),
    ("include/gg/ext/dbstmt.h", '#include <mysql.h>\n#include "gg/ext/db.h"\n', None),
    ("include/gg/ext/db.h", '#include "gg/ext/dbstmt.h"\n', None),
    ("include/gg/ext/http.h", '#include "gg/ext/dbstmt.h"\n', "must not see ext/dbstmt"),
    ("include/gg/flow/admit.h", '#include "gg/ext/dbstmt.h"\n', "must not see ext/dbstmt"),
    ("include/gg/app/prefork.h", "#include <fcgiapp.h>\n", "is for ext/fcgi alone"),
    ("include/gg/proto/jwt.h", '#include "gg/ext/crypto.h"\n#include "gg/proto/b64.h"\n', None),
    ("include/gg/proto/jwt.h", '#include "gg/ext/http.h"\n', "must not see ext/http"),
    ("include/gg/store/token.h", '#include "gg/ext/db.h"\n#include "gg/proto/fernet.h"\n', None),
    ("include/gg/store/token.h", '#include "gg/proto/jwt.h"\n', "must not see proto/jwt"),
    ("include/gg/store/token.h", '#include "gg/store/rate.h"\n', "must not see store/rate"),
    ("include/gg/flow/refresh.h", '#include "gg/store/token.h"\n#include "gg/flow/keyset.h"\n', None),
    ("include/gg/flow/refresh.h", '#include "gg/web/route.h"\n', "must not see web/route"),
    ("include/gg/web/route.h", '#include "gg/app/prefork.h"\n', "must not see app/prefork"),
    ("src/app/main.c", '#include "gg/app/prefork.h"\n#include "gg/base/log.h"\n', None),
    ("src/app/prefork.c", '#include "gg/ctl/main.h"\n', "must not see ctl/main"),
    ("src/ctl/jwt.c", '#include "gg/app/options.h"\n', None),
    ("src/ctl/jwt.c", '#include "command.h"\n', "neither"),
    ("src/base/x.c", "int x;\n", "has no include/gg/base/x.h"),
    ("src/misc/x.c", "int x;\n", "stands in no layer"),
    ("include/gg/gg.h", "int x;\n", "stands in no layer"),
]

if __name__ == "__main__":
    tree.main("layers", check, SAMPLES)
