# Two images of the connector: `slim`, the default, has source-knowbe4 and tap-knowbe4 for Airbyte
# and Meltano; `full` also has `knowbe4`, the warehouse drivers, the demo and the simulator.
# How they are built, run and checked: docs/image.md.

# The digest decides; the tag says what it is the digest of.
ARG NODE_TAG=24.18.0-bookworm-slim
ARG NODE_DIGEST=sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d
ARG NODE_IMAGE=node:${NODE_TAG}@${NODE_DIGEST}

# --- the programs, bundled with what they import -------------------------------------------------
FROM ${NODE_IMAGE} AS build
# Packages that load machine code cannot be bundled and lie beside it. Comma-separated. The drivers of
# BigQuery and Snowflake are bundled; Snowflake's asks for __dirname, which a module does not have.
ARG DRIVERS=@duckdb/node-api
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# The secret is for networks that sign TLS anew: a file with their certificate authority.
RUN --mount=type=secret,id=ca \
  if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
  npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY streams streams
COPY scripts/bundle.js scripts/bundle.js
COPY src src
RUN npm run build \
  && cd dist/src/cli \
  && bundle() { \
    /build/node_modules/.bin/rolldown --dir "$@" --external "$DRIVERS" \
      --transform.define __dirname:import.meta.dirname \
      --format esm --platform node --logLevel warn; \
  } \
  && bundle /slim/app/dist/cli source-knowbe4.js tap-knowbe4.js \
  && bundle /full/app/dist/cli source-knowbe4.js tap-knowbe4.js knowbe4.js
COPY LICENSE LICENSE
# Licences first, while what was bundled is there; then of all packages only the drivers stay.
RUN npm prune --omit=dev --no-audit --no-fund \
  && find node_modules -type f -iname 'licen[cs]e*' | sort \
    | while read -r file; do printf '\n=== %s\n\n' "$file"; cat "$file"; done >THIRD-PARTY \
  && for app in /slim/app /full/app; do cp package.json LICENSE THIRD-PARTY "$app"; done \
  && node -e 'const { writeFileSync } = require("node:fs"); \
    const { dependencies, devDependencies, ...rest } = require("/build/package.json"); \
    const kept = process.argv[1].split(",").map((name) => [name, dependencies[name]]); \
    writeFileSync("package.json", JSON.stringify({ ...rest, dependencies: Object.fromEntries(kept) }));' \
    "$DRIVERS" \
  && npm prune --no-audit --no-fund \
  && mv node_modules /full/app/node_modules
# The kernel keeps from process 1 every signal that it does not listen to: before it listens, and in
# commands that never do, SIGTERM would be lost. A program that listens later decides by itself.
RUN echo 'if (process.pid === 1) \
  for (const [name, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]) \
    process.on(name, () => { if (process.listenerCount(name) === 1) process.exit(128 + number); });' \
    >init.cjs \
  && for image in /slim /full; do \
    cp init.cjs "$image/app" && mkdir -p "$image/usr/local/bin" || exit 1; \
    for program in source-knowbe4 tap-knowbe4 knowbe4; do \
      file="/app/dist/cli/$program.js"; \
      if [ ! -e "$image$file" ]; then continue; fi; \
      sed -i '1s|^#!.*|#!/usr/local/bin/node --require=/app/init.cjs|' "$image$file" \
        && chmod 755 "$image$file" \
        && ln -s "$file" "$image/usr/local/bin/$program" || exit 1; \
    done; \
  done

# --- the system: Node and a shell, as Airbyte's wrapper needs one --------------------------------
FROM ${NODE_IMAGE} AS system
RUN usermod --login airbyte --home /airbyte node \
  && groupmod --new-name airbyte node \
  && rm -rf /home/node && install -d -o airbyte -g airbyte /airbyte /data \
  && rm -rf /opt/yarn* /usr/local/include /usr/local/lib/node_modules /usr/local/share/doc /usr/local/share/man \
    /usr/local/*.md /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* \
    /usr/local/bin/docker-entrypoint.sh /var/cache/* /var/lib/apt/lists/* /var/log/* /tmp/* /root/.npm \
  && find / -xdev -type f -perm /6000 -exec chmod a-s '{}' +

# One layer: what was removed above would otherwise still be shipped in the layers below.
FROM scratch AS runtime
COPY --from=system / /
ARG NAME=knowbe4-connector/source-knowbe4
ARG VERSION=dev
LABEL io.airbyte.name="${NAME}" \
  io.airbyte.version="${VERSION}" \
  org.opencontainers.image.title="${NAME}" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.description="Reads a KnowBe4 account through its Reporting API" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  NODE_ENV=production \
  AIRBYTE_ENTRYPOINT=/usr/local/bin/source-knowbe4
# airbyte, as a number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK NONE
ENTRYPOINT ["/usr/local/bin/source-knowbe4"]

# --- with everything; the database file belongs on a volume at /data -----------------------------
FROM runtime AS full
COPY --from=build /full /
WORKDIR /data

# --- the default ---------------------------------------------------------------------------------
FROM runtime AS slim
COPY --from=build /slim /
WORKDIR /airbyte
