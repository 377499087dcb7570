"""The local workspace's certificate: made once by trustme, kept in the state folder."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

_NAMES = ("localhost", "127.0.0.1", "::1", "*.localhost")


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of the authority's certificate (for clients) and of the server's certificate and key."""

    ca_file: Path
    certificate: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """A context for a server socket."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def ensure(folder: Path) -> Tls:
    """The certificate of ``folder``; made when it is not there. The private key is readable by its owner only."""
    tls = Tls(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if all(file.exists() for file in (tls.ca_file, tls.certificate, tls.key)):
        return tls
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority = trustme.CA(organization_name="Lakefront local workspace")
    certificate = authority.issue_cert(*_NAMES, common_name="localhost")
    tls.key.touch(mode=0o600)
    certificate.private_key_pem.write_to_path(str(tls.key))
    certificate.cert_chain_pems[0].write_to_path(str(tls.certificate))
    authority.cert_pem.write_to_path(str(tls.ca_file))
    return tls
