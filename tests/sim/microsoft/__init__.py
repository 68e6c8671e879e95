# SPDX-License-Identifier: MIT
"""A stand-in for the Microsoft identity platform and for Graph's calendar."""
