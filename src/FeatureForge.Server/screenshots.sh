#!/usr/bin/env bash
# Takes the pictures of the documentation: pages of a store, at the sizes of a desk and of a phone, into src/FeatureForge.Server/screenshots.
#   src/FeatureForge.Server/screenshots.sh STORE [CLUSTERING]        the tutorial's store holds what they show
# Needs chromium, curl and a built program (dotnet build -c Release src/FeatureForge.Cli).
set -euo pipefail
store=$(realpath "${1:?Usage: screenshots.sh STORE [CLUSTERING]}")
clustering=${2:-shapes-v1}
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-8197}
scratch=$(mktemp -d)
"$here/../FeatureForge.Cli/bin/Release/net10.0/featureforge" serve --store "$store" --port "$port" >"$scratch/serve.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do
  curl -fs "http://127.0.0.1:$port/healthz" >"$scratch/health" && break
  sleep 0.2
done
[ -s "$scratch/health" ] || { cat "$scratch/serve.log" >&2; exit 1; }

mkdir -p "$here/screenshots"
shot() { # NAME PAGE [MILLISECONDS]
  for size in 1440,900 390,844; do
    timeout 60 chromium --headless=new --no-sandbox --disable-gpu --use-angle=swiftshader --enable-unsafe-swiftshader --disable-background-networking --disable-component-update --no-first-run \
      --hide-scrollbars --user-data-dir="$scratch/profile" --window-size="$size" --virtual-time-budget="${3:-8000}" --screenshot="$here/screenshots/$1-${size%,*}.png" "http://127.0.0.1:$port$2" 2>"$scratch/chromium.log" ||
      { cat "$scratch/chromium.log" >&2; exit 1; }
  done
}

shot corpus "/corpora/$(ls "$store/corpora" | head -1)"
shot encoder "/encoders/$(ls "$store/encoders" | head -1)"
shot clusters "/clusterings/$clustering"
shot map "/clusterings/$clustering/map"
set=$(ls "$store/embeddings" | head -1)
item=$("$here/../FeatureForge.Cli/bin/Release/net10.0/featureforge" peek "corpora/$(ls "$store/corpora" | head -1)/items" --store "$store" --json | grep -om1 '[0-9a-f]\{32\}')
shot search "/search?set=$set&item=$item"
shot labelling "/labels/queue?name=screenshots&set=$clustering" 20000
ls -l "$here/screenshots"
