# The tap and the command line in one image; the database file belongs on a volume at /data.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci
COPY streams streams
COPY src src
# DuckDB's binary is an optional dependency of its package: never prune with --omit=optional.
RUN npm run build && npm prune --omit=dev

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /data
COPY --from=build /build/package.json /app/package.json
COPY --from=build /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
RUN ln -s /app/dist/src/cli/knowbe4.js /usr/local/bin/knowbe4 \
  && ln -s /app/dist/src/cli/tap-knowbe4.js /usr/local/bin/tap-knowbe4 \
  && chmod +x /app/dist/src/cli/knowbe4.js /app/dist/src/cli/tap-knowbe4.js \
  && chown node:node /data
USER node
ENTRYPOINT ["tap-knowbe4"]
