# SPDX-License-Identifier: MIT
# What is made of templates when it is built: manual pages, bash's completion, units. @TABLE@ is what the programs say of
# themselves, @SANDBOX@ a file; everything else is a directory.
FILL = $(SED) -e 's|@bindir[@]|$(bindir)|g' -e 's|@libexecdir[@]|$(libexecdir)|g' \
	-e 's|@pkgdatadir[@]|$(pkgdatadir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@VERSION[@]|$(PACKAGE_VERSION)|g' -e 's|@RELEASED[@]|$(RELEASED)|g'
FILL_TABLE = $(FILL) -e '/^@TABLE@$$/{' -e 'r $@.part' -e d -e '}'

nodist_man_MANS = man/graphgatectl.1 man/graphgate.conf.5 man/graphgate.fcgi.8
man/graphgatectl.1: man/graphgatectl.1.in graphgatectl$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) man && ./graphgatectl commands --man >$@.part
	$(AM_V_at)$(FILL_TABLE) $(srcdir)/man/graphgatectl.1.in >$@.new && mv $@.new $@ && rm $@.part
man/graphgate.conf.5: man/graphgate.conf.5.in graphgatectl$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) man && ./graphgatectl options --man >$@.part
	$(AM_V_at)$(FILL_TABLE) $(srcdir)/man/graphgate.conf.5.in >$@.new && mv $@.new $@ && rm $@.part
man/graphgate.fcgi.8: man/graphgate.fcgi.8.in man/arguments.awk graphgate.fcgi$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) man && ./graphgate.fcgi --help >$@.help
	$(AM_V_at)$(AWK) -f $(srcdir)/man/arguments.awk $@.help >$@.part && rm $@.help
	$(AM_V_at)$(FILL_TABLE) $(srcdir)/man/graphgate.fcgi.8.in >$@.new && mv $@.new $@ && rm $@.part

nodist_bashcompletion_DATA = completions/graphgatectl
completions/graphgatectl: completions/graphgatectl.in graphgatectl$(EXEEXT) Makefile
	$(AM_V_GEN)$(MKDIR_P) completions && ./graphgatectl commands --bash >$@.part
	$(AM_V_at)$(FILL_TABLE) $(srcdir)/completions/graphgatectl.in >$@.new && mv $@.new $@ && rm $@.part

systemdsystemunit_DATA = systemd/graphgate.service systemd/graphgate-maintain.service
dist_systemdsystemunit_DATA = systemd/graphgate.socket systemd/graphgate-maintain.timer
systemd/graphgate.service: systemd/graphgate.service.in
systemd/graphgate-maintain.service: systemd/graphgate-maintain.service.in
$(systemdsystemunit_DATA): systemd/sandbox.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd
	$(AM_V_at)$(FILL) -e '/^@SANDBOX@$$/{' -e 'r $(srcdir)/systemd/sandbox.in' -e d -e '}' $(srcdir)/$@.in >$@.new \
	    && mv $@.new $@

credentialsdir = $(pkgdatadir)/systemd
credentials_DATA = systemd/credentials.conf
logrotatedir = $(pkgdatadir)/logrotate
dist_logrotate_DATA = logrotate/graphgate
crondir = $(pkgdatadir)/cron
cron_DATA = cron/graphgate
systemd/credentials.conf: systemd/credentials.conf.in
cron/graphgate: cron/graphgate.in
$(credentials_DATA) $(cron_DATA): Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd cron && $(FILL) $(srcdir)/$@.in >$@.new && mv $@.new $@

dist_tmpfiles_DATA = tmpfiles.d/graphgate.conf
dist_sysusers_DATA = sysusers.d/graphgate.conf

# The pages where README.md, beside which they are installed, links to them.
pagesdir = $(docdir)/docs
pages_DATA = docs/README.md docs/audit.md docs/backup.md docs/coverage.md docs/deployment.md docs/encryption-at-rest.md \
	docs/keys.md docs/logging.md docs/monitoring.md docs/moving-over.md docs/performance.md docs/reliability.md docs/scaling.md \
	docs/shared-hosting.md docs/troubleshooting.md docs/upgrade.md docs/openapi.yaml docs/page.png

samplesdir = $(docdir)/httpd-conf
samples_DATA = $(dist_httpdconf_DATA)
simulatordir = $(docdir)/tests/sim
simulator_DATA = tests/sim/README.md

TEMPLATES = man/graphgatectl.1.in man/graphgate.conf.5.in man/graphgate.fcgi.8.in man/arguments.awk \
	completions/graphgatectl.in systemd/graphgate.service.in systemd/graphgate-maintain.service.in \
	systemd/sandbox.in systemd/credentials.conf.in cron/graphgate.in
EXTRA_DIST += $(TEMPLATES)
CLEANFILES = $(nodist_man_MANS) $(nodist_bashcompletion_DATA) $(systemdsystemunit_DATA) \
	$(credentials_DATA) $(cron_DATA)

lint-man: $(nodist_man_MANS)
	mandoc -T lint -W warning $(nodist_man_MANS)
	@for page in $(nodist_man_MANS); do \
	    said=`LC_ALL=C.UTF-8 MANROFFSEQ= man --warnings -E UTF-8 -l -Tutf8 -Z ./$$page 2>&1 >/dev/null`; \
	    test -z "$$said" || { echo "$$page: $$said"; exit 1; }; \
	done

# The Debian package: built, and lived with in a root of its own; wants root, debootstrap and apt's archives.
check-package:
	GRAPHGATE_BUILD=$(abs_builddir) PYTHONPATH=$(abs_top_srcdir)/tests $(PYTHON) -B -m pytest -q -x \
	    -o cache_dir=$(abs_builddir)/package/.pytest $(abs_top_srcdir)/tests/package
.PHONY: lint-man check-package
