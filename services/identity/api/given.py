"""What the endpoints are given: settings, the hasher, the signer, the session's secret, the client's network."""

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.chassis.sealing import Sealer
from services.identity.commands.sessions import SessionEnded
from services.identity.hashing import PasswordHashes
from services.identity.limits import network_of
from services.identity.settings import IdentitySettings
from services.identity.signing import Signer

CLIENT_ADDRESS = "x-client-address"


async def _settings(request: Request) -> IdentitySettings:
    return request.app.state.settings


async def _hashes(request: Request) -> PasswordHashes:
    return request.app.state.password_hashes


async def _signer(request: Request) -> Signer:
    return request.app.state.signer


async def _sealer(request: Request) -> Sealer:
    return request.app.state.sealer


SettingsDep = Annotated[IdentitySettings, Depends(_settings)]
HashesDep = Annotated[PasswordHashes, Depends(_hashes)]
SignerDep = Annotated[Signer, Depends(_signer)]
SealerDep = Annotated[Sealer, Depends(_sealer)]
"""For the keys of second factors."""


async def _session_secret(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "session" or not secret:
        raise SessionEnded
    return secret.strip()


SessionSecret = Annotated[str, Depends(_session_secret)]
"""From the header `Authorization: Session <secret>`."""


@dataclass(frozen=True)
class Own:
    """A secret of somebody: of a session, or (`of_script`) of a token that they made for a script."""

    secret: str
    of_script: bool


async def _own_secret(request: Request) -> Own:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "token" and secret:
        return Own(secret.strip(), of_script=True)
    return Own(await _session_secret(request), of_script=False)


OwnSecret = Annotated[Own, Depends(_own_secret)]
"""The same, or `Authorization: Token <secret>`."""


async def _client_network(request: Request, settings: SettingsDep) -> str:
    peer = request.client.host if request.client else ""
    claimed = request.headers.get(CLIENT_ADDRESS)
    if claimed and _is_trusted(peer, settings.trusted_networks) and _is_address(claimed):
        return network_of(claimed)
    return network_of(peer)


ClientNetwork = Annotated[str, Depends(_client_network)]
"""Who asks, for limits: the peer's address, or what a trusted proxy says in `X-Client-Address`."""


def _is_trusted(peer: str, networks: tuple[str, ...]) -> bool:
    if not _is_address(peer):
        return False
    address = ipaddress.ip_address(peer)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network, strict=False) for network in networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
