# SPDX-License-Identifier: MIT
"""A whole graphgate on loopback: MariaDB, the simulated Microsoft, lighttpd and the workers."""
