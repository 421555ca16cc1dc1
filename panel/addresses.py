"""Network addresses of visitors."""

import ipaddress


def block_of(address: str) -> str:
    """One IPv4 address, or the /64 that one IPv6 customer holds; `unknown` for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{parsed}/{64 if parsed.version == 6 else 32}", strict=False))
