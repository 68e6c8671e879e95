# SPDX-License-Identifier: MIT
# Where systemd runs, graphgate-maintain.timer does this.
17 * * * * graphgate [ -d /run/systemd/system ] || [ ! -e /etc/graphgate/graphgate.conf ] || [ ! -x /usr/bin/graphgatectl ] || /usr/bin/graphgatectl maintain
