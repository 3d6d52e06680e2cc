#!/usr/bin/env bash
# Brings a back-up into an empty folder: restore.sh BACKUP STORE. With FEATUREFORGE_LEDGER set, fills that (empty) database.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: restore.sh BACKUP STORE" >&2; exit 2; }
backup=$1 store=$2
[ -f "$backup/store/store.json" ] || { echo "$backup holds no back-up of a store." >&2; exit 2; }
if [ -d "$store" ] && [ -n "$(ls -A "$store")" ]; then echo "$store is not empty; name an empty or new folder." >&2; exit 2; fi
mkdir -p "$store"
rsync -a "$backup/store/" "$store/"
if [ -n "${FEATUREFORGE_LEDGER:-}" ] && [ -f "$backup/ledger.dump" ]; then
  pg_restore --no-owner --exit-on-error --dbname "$FEATUREFORGE_LEDGER" "$backup/ledger.dump"
fi
echo "Restored $store. Check it: featureforge store verify --store $store"
