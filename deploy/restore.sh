#!/usr/bin/env bash
# Put the databases back as they were in the backup FOLDER: deploy/restore.sh FOLDER
# Everything since is lost here, but peers hand back what was confirmed to them. `secrets/` must be those of the backup.
# Without compose: stop the services first, and set MAILLAGE_SERVICES and MAILLAGE_POSTGRES as for backup.sh.
set -euo pipefail
folder=$(realpath "${1:?usage: deploy/restore.sh FOLDER}")
cd "$(dirname "$0")"
services=${MAILLAGE_SERVICES:-docker compose run --rm -T --no-deps setup}
postgres=${MAILLAGE_POSTGRES-docker compose exec -T postgres}
names="identity catalog booking matching notify federation"
for service in $names; do
	test -s "$folder/$service.dump" || { echo "$folder/$service.dump is missing" >&2; exit 1; }
done

if test -z "${MAILLAGE_SERVICES:-}"; then
	docker compose stop portal broker-agent $names
	docker compose up -d --wait postgres rabbitmq
fi
$services provision </dev/null # the roles that the dumps speak of
for service in $names; do
	$postgres pg_restore --username=postgres --dbname=postgres --clean --if-exists --create --exit-on-error \
		<"$folder/$service.dump"
done
$services restored </dev/null
if test -z "${MAILLAGE_SERVICES:-}"; then docker compose up -d --wait; fi
