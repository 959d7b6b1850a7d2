"""Pseudonyms for personal values: the same person has the same one, and only who has the secret can go back."""

import hashlib
import hmac
import json
import os

from rca.errors import InputError

SECRET = "RCA_PSEUDONYM_SECRET"


def secret() -> bytes | None:
    """The secret for pseudonyms, from the environment; it is never written anywhere."""
    given = os.environ.get(SECRET, "")
    if given and len(given) < 16:
        raise InputError(f"{SECRET} must have 16 characters or more: a short secret can be guessed.")
    return given.encode() or None


def pseudonym(key: bytes, *what: str) -> str:
    """The same value has the same pseudonym, and nobody without the secret can go back (HMAC, RFC 2104).

    >>> pseudonym(b"correct horse battery", "vendor=Andes", "agent", "Bo")
    '6b5302407066be68'
    """
    return hmac.new(key, json.dumps(what).encode(), hashlib.sha256).hexdigest()[:16]
