# The relay with its dashboard, for a Postgres of your own. From the root of the repository:
#
#   docker build -f infra/images/relay.Dockerfile -t baton-relay .
#
# What it needs at run time: DATABASE_URL, BATON_SECRET, BATON_PUBLIC_URL (docs/hosting.md).
FROM node:24-bookworm-slim AS dashboard
WORKDIR /baton
COPY package.json package-lock.json ./
COPY packages packages
COPY apps apps
COPY tsconfig.base.json ./
RUN npm ci --ignore-scripts --include=dev --no-audit --no-fund
RUN npm run build -w @baton/dashboard

FROM node:24-bookworm-slim AS packages
WORKDIR /baton
COPY package.json package-lock.json ./
COPY packages packages
COPY apps/relay apps/relay
COPY apps/runner/package.json apps/runner/package.json
COPY apps/dashboard/package.json apps/dashboard/package.json
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund --workspace=@baton/relay

FROM node:24-bookworm-slim
ENV NODE_ENV=production BATON_HOST=0.0.0.0
WORKDIR /baton
COPY --from=packages /baton/package.json ./
COPY --from=packages /baton/node_modules node_modules
COPY --from=packages /baton/packages packages
COPY --from=packages /baton/apps/relay apps/relay
COPY --from=dashboard /baton/apps/dashboard/dist apps/dashboard/dist
# Nothing is written: the relay keeps everything in Postgres.
USER node
EXPOSE 4127
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.BATON_PORT ?? 4127}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--no-memory-reducer", "apps/relay/src/main.ts"]
CMD ["start"]
