"""A container's health check: `python deploy/healthy.py booking` ends with 0 when that service is ready."""

import os
import sys
import urllib.error
import urllib.request


def main(service: str) -> int:
    """0 when `service` answers ready on this container's port, else 1 with the reason."""
    url = f"http://127.0.0.1:{os.environ.get('MAILLAGE_PORT', '8000')}/api/{service}/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=4):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace")[:500])
    except OSError as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
