# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # shares its variables with scripts/verify-image
# Sourced by scripts/verify-image: the images with docker, the base image from its registry.

tag="verify-$$"
started=()

engine_open() { docker info >/dev/null 2>&1 || cannot 'docker: its daemon does not answer'; }

engine_build() {
  local secret=()
  if [[ -n "${NODE_EXTRA_CA_CERTS:-}" ]]; then secret=(--secret "id=ca,src=$NODE_EXTRA_CA_CERTS"); fi
  DOCKER_BUILDKIT=1 docker build --target "$1" "${secret[@]}" \
    --build-arg "NAME=$name" --build-arg "VERSION=$version" --tag "knowbe4-$1:$tag" .
}

engine_config() { docker image inspect --format '{{json .Config}}' "knowbe4-$1:$tag"; }

engine_bytes() { docker save "knowbe4-$1:$tag" | gzip | wc -c; }

# docker_run TARGET FLAGS… -- PROGRAM ARGUMENTS…
docker_run() {
  local target="$1" flags=()
  shift
  while [[ "$1" != -- ]]; do
    flags+=("$1")
    shift
  done
  if [[ "$2" != - ]]; then flags+=(--entrypoint "$2"); fi
  docker run --network host --volume "$job:/mnt:ro" "${flags[@]}" "knowbe4-$target:$tag" "${@:3}"
}

sealing=(--read-only --cap-drop ALL --security-opt no-new-privileges --volume "$data:/data")

run() { docker_run "$1" --rm -- "${@:2}"; }
run_as() { docker_run "$2" --rm --user "$1:$1" -- "${@:3}"; }
sealed() { docker_run "$1" --rm "${sealing[@]}" -- "${@:2}"; }

start() {
  docker_run "$2" --detach --name "$1-$tag" "${sealing[@]}" -- "${@:3}" >/dev/null
  started+=("$1")
  docker logs --follow "$1-$tag" >"$scratch/$1.out" 2>"$scratch/$1.err" &
}

stop() {
  docker stop -t 10 "$1-$tag" >/dev/null
  stopped="$(docker wait "$1-$tag")"
  docker rm "$1-$tag" >/dev/null
}

engine_close() {
  local each
  for each in "${started[@]}"; do docker rm --force "$each-$tag"; done
  # What the image's user has written may not be ours to remove.
  docker_run full --rm --user 0:0 --volume "$data:/data" -- sh -c 'rm -rf /data/*'
  docker image rm "knowbe4-slim:$tag" "knowbe4-full:$tag"
}
