# SPDX-License-Identifier: MIT
"""Where is measured: the sites behind lighttpd, the floors in the same place, Graph as nginx or as a program that waits."""

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

from bench.load import Wrong, ask, connection, must
from rows import TOKENS, Mint, derived, fingerprint, seal
from stack import journal
from stack.lighttpd import Lighttpd
from stack.measure import jwt
from stack.process import Child, drop_socket_dir, free_port, socket_dir
from stack.stack import Stack
from stack.web import account, program

EVENTS = "/api/v1/integration/microsoft/calendar/events"
LIST = EVENTS + "?start_time=2027-03-01T00:00:00Z&end_time=2027-03-08T00:00:00Z&limit=10"
HEALTH = "/api/v1/health/microsoft"
# A limit that counts each request and refuses none.
LIMITS = {f"RATE_LIMIT_{name}": "1000000000/60" for name in ("OAUTH_START", "OAUTH_CALLBACK", "CALENDAR")}
TOKEN_BYTES, EVENT_BYTES, EVENTS_COUNT = 2048, 1536, 10
# So many rows of the audit go into one insert under load.
JOURNAL_COUNT = journal.number("COUNT")

NGINX = """worker_processes 1;
{owner}
pid {run}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    open_file_cache max=10 inactive=1h;
    types {{ application/json json; }}
    client_body_temp_path {directory}/temp;
    proxy_temp_path {directory}/temp;
    fastcgi_temp_path {directory}/temp;
    uwsgi_temp_path {directory}/temp;
    scgi_temp_path {directory}/temp;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {directory}/files;
        default_type application/json;
        location / {{
            if ($request_method = POST) {{ return 201 '{event}'; }}
            try_files /events.json =404;
        }}
        location /v1.0/me/calendars/odd/ {{ try_files /odd.json =404; }}
    }}
}}
"""


def event(number, size=EVENT_BYTES):
    """An event as Graph writes it, of about so many bytes."""
    made = {"@odata.etag": f'W/"etag{number}"', "id": f"AAMkAGI2TG93AAA{number:04d}=", "createdDateTime": "2027-02-20T08:00:00.1234567Z",
            "changeKey": "DwAAABYAAADb", "categories": [], "originalStartTimeZone": "UTC", "iCalUId": f"040000008200E00074C5B7101A82E008{number}",
            "reminderMinutesBeforeStart": 15, "isReminderOn": True, "subject": f"Planning {number}", "bodyPreview": "",
            "importance": "normal", "isAllDay": False, "isCancelled": False, "showAs": "busy", "type": "singleInstance",
            "body": {"contentType": "html", "content": ""},
            "start": {"dateTime": f"2027-03-01T{8 + number:02d}:00:00.0000000", "timeZone": "UTC"},
            "end": {"dateTime": f"2027-03-01T{8 + number:02d}:30:00.0000000", "timeZone": "UTC"},
            "location": {"displayName": "Room 7", "locationType": "default"},
            "attendees": [{"type": "required", "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
                           "emailAddress": {"name": "Sam", "address": "sam@example.com"}}],
            "organizer": {"emailAddress": {"name": "Noor", "address": "noor@example.com"}}}
    text = "<p>" + "What we said last week, and what is to be done next. " * (size // 50)
    made["body"]["content"] = text[:max(0, size - len(json.dumps(made, separators=(",", ":"))))]
    return json.dumps(made, separators=(",", ":"))


def page(events):
    """One of Graph's pages."""
    return '{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(\'x\')/calendarView","value":[' + ",".join(events) + "]}"


def _listens(port):
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


class Graph:
    """Graph as a static file behind nginx, whatever is asked; a POST is answered 201 with an event."""

    def __init__(self, directory, pages=None):
        self.directory, self.port = Path(directory), free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1.0"
        self.pages = {"events": page([event(number) for number in range(EVENTS_COUNT)]), **(pages or {})}
        self._run = None
        config = self.directory / "nginx.conf"
        self._child = Child("nginx", [program("nginx", "nginx"), "-e", self.directory / "error.log", "-c", config, "-g", "daemon off;"], self.directory)

    def start(self):
        """Writes the files and starts nginx."""
        (self.directory / "files").mkdir(parents=True)
        for name, text in self.pages.items():
            (self.directory / "files" / f"{name}.json").write_text(text, encoding="utf-8")
        self._run = socket_dir(self.directory)
        owner = f"user {account()};" if account() else ""
        (self.directory / "nginx.conf").write_text(NGINX.format(
            owner=owner, run=self._run, directory=self.directory, port=self.port, event=event(0).replace('\\"', "")), encoding="utf-8")
        self._child.start()
        self._child.wait_for(lambda: _listens(self.port))
        return self

    def stop(self):
        """Ends nginx."""
        self._child.stop()
        drop_socket_dir(self._run, self.directory)


class Delayed:
    """Graph answering the same page after delay_ms: a program that hardly works while it waits."""

    def __init__(self, directory, bin_dir, delay_ms):
        self.directory, self.port = Path(directory), free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1.0"
        self._child = Child("delay", [bin_dir / "tests/bench/delay", self.port, delay_ms, self.directory / "page.json"], self.directory)

    def start(self):
        """Writes the page and starts the program."""
        self.directory.mkdir(parents=True)
        (self.directory / "page.json").write_text(page([event(number) for number in range(EVENTS_COUNT)]), encoding="utf-8")
        self._child.start()
        self._child.wait_for(lambda: _listens(self.port))
        return self

    def asked(self):
        """How many GETs came so far."""
        link = connection(self.port)
        try:
            link.request("GET", "/count")
            return int(link.getresponse().read())
        finally:
            link.close()

    def stop(self):
        """Ends it."""
        self._child.stop()


class Site(Stack):
    """graphgate with a Graph of this harness, and users whose token rows are written into the database."""

    def __init__(self, directory, bin_dir, graph, mariadb, *, settings=None, **rest):
        unused = "http://127.0.0.1:9"  # no refresh, no sign-in is measured
        sim = SimpleNamespace(client_id="bench", client_secret="bench", tenant_id="00000000-0000-4000-8000-000000000001", https=unused, ca_file=None)
        super().__init__(directory, bin_dir, {**LIMITS, "MICROSOFT_GRAPH_URL": graph.url, "MICROSOFT_CA_FILE": None, **(settings or {})}, sim=sim, mariadb=mariadb,
                         server="lighttpd", **rest)

    def register(self):
        """There is no simulator."""

    def connect(self, subjects):
        """Writes a connected token row for each of these integers."""
        key = self.conf["TOKEN_ENCRYPTION_KEY"]
        mint, sealing, name, values = Mint(key, b"t" * TOKEN_BYTES), derived(key, "seal"), fingerprint(key), []
        for subject in subjects:
            tokens = [mint() for _ in TOKENS]
            quoted = "', '".join(tokens)
            values.append(f"({subject}, '{quoted}', '2037-01-01', NOW(), 'Calendars.ReadWrite', '{name}', "
                          f"'{seal(sealing, 'main', str(subject), tokens)}', '{seal(sealing, 'main', str(subject), tokens[:1])}')")
        for at in range(0, len(values), 500):
            self.sql(f"INSERT INTO microsoft_oauth_tokens (user_id, {', '.join(TOKENS)}, expires_at, connected_at, scope, key_fingerprint, seal, access_seal)"
                     " VALUES " + ", ".join(values[at:at + 500]))

    def token(self, subject):
        """A caller's JWT, good for a day."""
        return jwt(self.conf["JWT_SECRET_KEY"], str(subject), 86400)

    def statements(self):
        """What a list of events has prepared: the statement before it asks Graph, and one row's of the audit. Cuts this site's connections."""
        self.mariadb.sql("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1")
        self.mariadb.sql(f"KILL USER {self.database.worker}")
        link = connection(self.web.port)
        try:
            must(ask(link, LIST, self.token(1)), 200)
            self.settle()
        finally:
            link.close()
            self.mariadb.sql("SET GLOBAL general_log = 0")
        found = self.mariadb.rows("SELECT argument FROM mysql.general_log WHERE command_type = 'Prepare' AND"
                                  " (argument LIKE 'INSERT INTO rate_limits%' OR argument LIKE 'INSERT INTO audit_log%') ORDER BY argument LIKE 'INSERT INTO audit_log%'")
        if len(found) != 2:
            raise Wrong(f"a list of events prepared {found}")
        return [" ".join(row[0].split()) for row in found]

    def move_limits(self, engine):
        """The limits' table into that storage engine."""
        self.migrate("--limits-engine", engine)
        return self

    def requests(self, subjects, path=LIST):
        """What wrk asks: a line "PATH TOKEN" for each user. graphgate ignores the `user`, the floor has nothing else."""
        return "".join(f"{path}&user={subject} {self.token(subject)}\n" for subject in subjects)


class Floor:
    """The floor's program in graphgate's place, behind the same lighttpd."""

    def __init__(self, directory, bin_dir, workers, settings):
        self.directory, self.settings = Path(directory), settings
        self.conf_file = self.directory / "floor.conf"
        self.web = Lighttpd(self.directory / "web", {"binary": bin_dir / "tests/bench/floor", "config_file": self.conf_file, "workers": workers,
                                                     "document_root": self.directory})
        self.url = self.web.url

    @classmethod
    def of(cls, directory, site, graph):
        """The floor that does what this site does, on its table and its Graph."""
        url = urlsplit(site.conf["DATABASE_URL"])
        settings = {"socket": parse_qs(url.query)["unix_socket"][0], "user": unquote(url.username), "password": unquote(url.password),
                    "database": unquote(url.path[1:]), "url": graph.url + "/me/calendarView?$top=10"}
        return cls(directory, site.bin_dir, site.workers, settings)

    @classmethod
    def alike(cls, directory, site, graph, statements):
        """The floor that asks the database what this site asks it, in the same words."""
        made = cls.of(directory, site, graph)
        first, last = statements
        row = last[last.rindex("("):]
        window = "60"
        made.settings |= {
            "first": first, "first_values": "\t".join(["calendar:main:%u/60", window, "120", window, window, "999999999", "%u"]),
            "last_every": JOURNAL_COUNT, "last": ", ".join([last, *[row] * (JOURNAL_COUNT - 1)]),
            "last_values": "\t".join(JOURNAL_COUNT * ["%i", "2027-03-01 09:00:00.000000", "token.use", "main", "%u", "main:%u", "127.0.0.1", "%i", "ok", "events.list",
                                      "0" * 8, "0" * 43])}
        return made

    def write(self):
        """Writes its few settings."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.conf_file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()), encoding="utf-8")
        return self

    def start(self):
        """Starts lighttpd, which starts it."""
        self.write().web.start()
        return self

    def stop(self):
        """Ends both."""
        self.web.stop()
