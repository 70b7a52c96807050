"""The command line: `python -m services all`, `… booking notify`, `… provision`.

Modules are imported by name, once it is known which: the broker-agent would double its memory by a web framework.
"""

import importlib
import sys

RUN = "services.run"
COMMANDS = {
    "provision": "services.provision",
    "secrets": "services.secrets_files",
    "contracts": "services.contract_documents",
    "dead": "services.dead",
    "hold": "services.hold",
    "restored": "services.restored",
    "peer-certificate": "services.federation.certificates",
    "broker-agent": "services.federation.broker_agent",
    "administrator": "services.identity.administrator",
    "leaked-passwords": "services.identity.leaked",
    "reindex": "services.matching.reindex",
    "refit": "services.matching.refit",
    "skills": "services.matching.skills",
}


def main(arguments: list[str]) -> None:
    """Run what `arguments` name: one command with its own arguments, or services."""
    if arguments and arguments[0] in COMMANDS:
        importlib.import_module(COMMANDS[arguments[0]]).main(arguments[1:])
    else:
        importlib.import_module(RUN).main(arguments, commands=list(COMMANDS))


if __name__ == "__main__":
    main(sys.argv[1:])
