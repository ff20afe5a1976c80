"""An issuer of JSON Web Tokens whose public keys are at a URL."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Issuer:
    """An issuer of tokens: signs them, and serves its public keys; without ``is_up`` it answers with an error."""

    def __init__(self) -> None:
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.is_up = True
        self.requests = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests += 1
                self.send_response(200 if issuer.is_up else 503)
                self.end_headers()
                self.wfile.write(issuer.key_set())

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add_key(self, key_id: str) -> None:
        """Make a key."""
        self._keys[key_id] = ec.generate_private_key(ec.SECP256R1())

    def withdraw_key(self, key_id: str) -> None:
        """Publish the key no more."""
        del self._keys[key_id]

    def remove_key(self, key_id: str) -> None:
        """Withdraw a key."""
        del self._keys[key_id]

    def public_pem(self, key_id: str) -> bytes:
        """A public key as people pass it around."""
        return self._keys[key_id].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def key_set(self) -> bytes:
        """The public keys."""
        algorithm = jwt.get_algorithm_by_name("ES256")
        keys = [
            {**json.loads(str(algorithm.to_jwk(key.public_key()))), "kid": key_id, "alg": "ES256"}
            for key_id, key in self._keys.items()
        ]
        return json.dumps({"keys": keys}).encode()

    def token(self, key_id: str, *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that is signed with that key; it says so unless the ``headers`` say otherwise."""
        claims = {
            "iss": self.url,
            "aud": "milepost",
            "sub": "alice",
            "exp": time.time() + 600,
            "owners": "team-a",
            "scope": "read submit cancel",
            **claims,
        }
        return jwt.encode(
            claims, self._keys[key_id], algorithm="ES256", headers={"kid": key_id, **(headers or {})}
        )

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
