#!/usr/bin/env bash
# Copies a store and its ledger: backup.sh STORE TARGET. May run while the store is in use. Needs rsync; pg_dump when FEATUREFORGE_LEDGER is
# set (as postgresql://…), else sqlite3.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: backup.sh STORE TARGET" >&2; exit 2; }
store=$1 target=$2
[ -f "$store/store.json" ] || { echo "$store holds no store.json; name a store's folder." >&2; exit 2; }
mkdir -p "$target/store"
# Manifests first: the parts that they list are never changed, and what comes later is not in them.
rsync -a --prune-empty-dirs --exclude '/.staging/' --exclude 'catalog.db*' --exclude 'server.lock*' --include '*/' --include '*.json' --exclude '*' "$store/" "$target/store/"
rsync -a --ignore-existing --exclude '/.staging/' --exclude 'catalog.db*' --exclude 'server.lock*' "$store/" "$target/store/"
if [ -n "${FEATUREFORGE_LEDGER:-}" ]; then
  case "$FEATUREFORGE_LEDGER" in
    postgres*://*) pg_dump --format=custom --no-owner --file "$target/ledger.dump" "$FEATUREFORGE_LEDGER" ;;
    *) echo "For pg_dump write FEATUREFORGE_LEDGER as postgresql://user:password@host/database." >&2; exit 2 ;;
  esac
elif [ -f "$store/catalog.db" ]; then
  sqlite3 "$store/catalog.db" ".backup '$target/store/catalog.db'"
fi
echo "Backed up $store to $target."
