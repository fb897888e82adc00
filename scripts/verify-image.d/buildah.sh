# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # shares its variables with scripts/verify-image
# Sourced by scripts/verify-image: the images without a container engine. The base image is one of
# our own making, Debian by debootstrap with the npm registry's Node of the version that the
# Dockerfile pins, under a name of its own. No program runs in a virtual machine or under a runtime:
# buildah changes the root folder, and `sealed` does the same with what unshare(1) can add.

storage=(--root "$scratch/storage" --runroot "$scratch/runroot" --storage-driver vfs)
base=localhost/node-stand-in
declare -A containers roots pids

engine_open() {
  local packages=() package
  for package in buildah debootstrap; do
    command -v "$package" >/dev/null || packages+=("$package")
  done
  [[ "$(id -u)" == 0 ]] || cannot "needs root for buildah's chroot isolation and debootstrap, or docker"
  if ((${#packages[@]} > 0)); then
    command -v apt-get >/dev/null || cannot "missing: ${packages[*]}, and no apt-get to install them"
    printf 'installing %s\n' "${packages[*]}"
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
      >"$scratch/apt.log" 2>&1; then
      tail -n 5 "$scratch/apt.log" >&2
      cannot "missing: ${packages[*]}; apt-get install ${packages[*]} failed"
    fi
  fi
  command -v npm >/dev/null || cannot 'missing: npm, to fetch the base image'"'"'s Node'
  # Debian's packages bring a policy; where there is none, local images are all that is used.
  printf '{ "default": [{ "type": "insecureAcceptAnything" }] }\n' >"$scratch/policy.json"
  stand_in
}

# The base image: what node:*-slim is, as far as the Dockerfile looks at it.
stand_in() {
  local root="$scratch/base" node npm tag
  tag="$(sed -n 's/^ARG NODE_TAG=//p' Dockerfile)"
  node="$scratch/node"
  printf 'a stand-in for node:%s\n' "$tag"
  quietly debootstrap debootstrap --variant=minbase "$(cut -d- -f2 <<<"$tag")" "$root"
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  rm -rf "$root"/usr/share/{man,info,locale}/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  mkdir "$node"
  echo '{ "private": true }' >"$node/package.json"
  quietly node npm install --prefix "$node" --ignore-scripts --no-audit --no-fund \
    "node-linux-$(node -p process.arch)@$(cut -d- -f1 <<<"$tag")" npm@11
  install -m 755 "$node"/node_modules/node-linux-*/bin/node "$root/usr/local/bin/node"
  npm=/usr/local/lib/node_modules/npm
  mkdir "$root/usr/local/lib/node_modules"
  cp -R "$node/node_modules/npm" "$root$npm"
  ln -s "$npm/bin/npm-cli.js" "$root/usr/local/bin/npm"
  ln -s "$npm/bin/npx-cli.js" "$root/usr/local/bin/npx"
  chroot "$root" groupadd --gid 1000 node
  chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
  quietly import buildah_import "$root"
  rm -rf "$root" "$node"
}

buildah_import() {
  local container
  container="$(buildah "${storage[@]}" from scratch)"
  buildah "${storage[@]}" add "$container" "$1" /
  buildah "${storage[@]}" commit --signature-policy "$scratch/policy.json" --rm "$container" "$base"
}

engine_build() {
  local ca="${NODE_EXTRA_CA_CERTS:-}" secret=()
  if [[ -n "$ca" ]]; then secret=(--secret "id=ca,src=$ca"); fi
  buildah "${storage[@]}" bud --isolation chroot --format docker --pull-never \
    --signature-policy "$scratch/policy.json" --target "$1" "${secret[@]}" \
    --build-arg "NODE_IMAGE=$base" --build-arg "NAME=$name" --build-arg "VERSION=$version" \
    --tag "$1" --file Dockerfile .
  containers[$1]="$(buildah "${storage[@]}" from --pull-never --signature-policy "$scratch/policy.json" "localhost/$1")"
  roots[$1]="$(buildah "${storage[@]}" mount "${containers[$1]}")"
}

engine_config() {
  buildah "${storage[@]}" inspect --type image "localhost/$1" \
    | node -p 'JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).Docker.config)'
}

# As a registry counts: the layers as they are pushed.
engine_bytes() {
  local folder="$scratch/pushed-$1"
  quietly "push-$1" buildah "${storage[@]}" push --signature-policy "$scratch/policy.json" "localhost/$1" "oci:$folder"
  node -e '
    const json = (digest) =>
      JSON.parse(require("node:fs").readFileSync(`${process.argv[1]}/blobs/${digest.replace(":", "/")}`, "utf8"));
    const index = JSON.parse(require("node:fs").readFileSync(`${process.argv[1]}/index.json`, "utf8"));
    console.log(json(index.manifests[0].digest).layers.reduce((sum, layer) => sum + layer.size, 0));
  ' "$folder"
  rm -rf "$folder"
}

entrypoint_of() { node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).Entrypoint.join(" ")' "$scratch/$1.json"; }

run() {
  local target="$1" program="$2"
  shift 2
  if [[ "$program" == - ]]; then program="$(entrypoint_of "$target")"; fi
  buildah "${storage[@]}" run --isolation chroot --volume "$job:/mnt:ro" ${uid:+--user "$uid:$uid"} \
    "${containers[$target]}" -- "$program" "$@"
}

run_as() {
  local uid="$1"
  shift
  run "$@"
}

# Sets `argv`. The last exec's leave the program as process 1 of its namespace.
seal() {
  local target="$1" program="$2" environment
  shift 2
  if [[ "$program" == - ]]; then program="$(entrypoint_of "$target")"; fi
  mapfile -t environment < <(node -p '
    const { Env, WorkingDir } = JSON.parse(fs.readFileSync(process.argv[1], "utf8"));
    [`--chdir=${WorkingDir}`, ...Env, "HOME=/airbyte"].join("\n")' "$scratch/$target.json")
  argv=(unshare --mount --pid --fork --kill-child bash -c '
      set -e
      root="$1" job="$2" data="$3"
      shift 3
      mount --bind "$root" "$root"
      mount -t proc proc "$root/proc"
      mount --rbind /dev "$root/dev"
      mount --bind "$job" "$root/mnt"
      mount -o remount,bind,ro "$root/mnt"
      mount --bind "$data" "$root/data"
      mount -o remount,bind,ro "$root"
      exec chroot "$root" setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs \
        --bounding-set=-all --inh-caps=-all env -i "$@"
    ' sealed "${roots[$target]}" "$job" "$data" "${environment[@]}" "$program" "$@")
}

sealed() {
  local argv
  seal "$@"
  "${argv[@]}"
}

start() {
  local name="$1" argv
  shift
  seal "$@"
  "${argv[@]}" >"$scratch/$name.out" 2>"$scratch/$name.err" </dev/null &
  pids[$name]=$!
  # Until the program itself is process 1, and no longer the shell that prepares its root.
  until [[ "$(readlink "/proc/$(inner "$name")/exe")" == */node ]]; do
    kill -0 "${pids[$name]}" 2>/dev/null || return 0
    sleep 0.01
  done
}

inner() {
  local pid="${pids[$1]}"
  tr -d ' ' <"/proc/$pid/task/$pid/children" 2>/dev/null || true
}

stop() {
  local pid="${pids[$1]}" waited=0
  kill -TERM "$(inner "$1")" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if ((waited == 100)); then kill -KILL "$pid"; fi
    waited=$((waited + 1))
    sleep 0.1
  done
  stopped=0
  wait "$pid" || stopped=$?
  unset "pids[$1]"
}

engine_close() {
  local each
  for each in "${!pids[@]}"; do stop "$each"; done
  buildah "${storage[@]}" rm --all
  # What buildah has mounted in its folders, should it have been stopped in the middle.
  while read -r each; do umount --lazy "$each"; done < <(
    awk -v under="$scratch/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r
  )
}
