#!/usr/bin/env bash
# Make a backup of all databases in FOLDER, while people go on working: deploy/backup.sh FOLDER
# Events wait meanwhile, so that the databases tell one story and nothing is lost in between (`python -m services hold`).
# Without compose: MAILLAGE_SERVICES is how to call `python -m services`, MAILLAGE_POSTGRES what to put before pg_dump.
set -euo pipefail
umask 077
folder=$(realpath -m "${1:?usage: deploy/backup.sh FOLDER}")
test ! -e "$folder" || { echo "$folder is there already" >&2; exit 1; }
cd "$(dirname "$0")"
if test -f .env; then set -a; . ./.env; set +a; fi
services=${MAILLAGE_SERVICES:-docker compose run --rm -T --no-deps setup}
postgres=${MAILLAGE_POSTGRES-docker compose exec -T postgres}
draft=$folder.part
rm -rf "$draft"
mkdir -p "$draft"

coproc HOLD { exec $services hold; }
pid=$HOLD_PID
read -r answer <&"${HOLD[0]}" || answer=""
test "$answer" = held || { echo "the events could not be held" >&2; exit 1; }
for service in identity catalog booking matching notify federation; do
	database=${MAILLAGE_INSTANCE//-/_}_$service
	$postgres pg_dump --username=postgres --format=custom "$database" </dev/null >"$draft/$service.dump"
done
exec {HOLD[1]}>&-
wait "$pid"
mv "$draft" "$folder"
du -sh "$folder"
