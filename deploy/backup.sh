#!/usr/bin/env bash
# Make a backup of all databases in FOLDER, while people go on working: deploy/backup.sh FOLDER
# Events wait meanwhile, so that the databases tell one story and nothing is lost in between (`python -m services hold`).
# Without compose: MAILLAGE_SERVICES is how to call `python -m services`, MAILLAGE_POSTGRES what to put before pg_dump.
set -euo pipefail
umask 077
folder=$(realpath -m "${1:?usage: deploy/backup.sh FOLDER}")
test ! -e "$folder" || { echo "$folder is there already" >&2; exit 1; }
cd "$(dirname "$0")"
instance=${MAILLAGE_INSTANCE:-}
if test -z "$instance" -a -f .env; then # compose's file is no shell script: of it, this name alone is read
	instance=$(sed -nE "s/^\s*(export\s+)?MAILLAGE_INSTANCE\s*[=:]\s*[\"']?([a-z0-9-]+).*/\2/p" .env | tail -n 1)
fi
test -n "$instance" || { echo "MAILLAGE_INSTANCE is set neither in the environment nor in deploy/.env" >&2; exit 1; }
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
	database=${instance//-/_}_$service
	$postgres pg_dump --username=postgres --format=custom "$database" </dev/null >"$draft/$service.dump"
done
exec {HOLD[1]}>&-
wait "$pid"
mv "$draft" "$folder"
du -sh "$folder"
