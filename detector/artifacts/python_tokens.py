"""Texts of Python source as one pattern, for scanners that also read what Python rejects. Bytes, no parser."""

from __future__ import annotations

# Triple-quoted ones go on to the end where nothing closes them, others to the end of their line. Possessive, so that a
# hostile text costs one pass. To be compiled with `re.DOTALL`.
TEXT = (
    rb"""(?:\"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*+(?:\"""|\Z)"""
    rb"""|'''[^'\\]*+(?:(?:\\.|'(?!''))[^'\\]*+)*+(?:'''|\Z)"""
    rb"""|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?"""
    rb"""|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'?)"""
)
