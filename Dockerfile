# syntax=docker/dockerfile:1
FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY libs libs
COPY apps apps
RUN npx nest build reverser

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM node:26-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates git openssh-client tini \
  && rm -rf /var/lib/apt/lists/*
# ssh refuses to run for a user id that has no name.
RUN groupadd --gid 65532 reverser \
  && useradd --uid 65532 --gid reverser --home-dir /var/lib/gitops-reverser --create-home --shell /usr/sbin/nologin reverser
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# It maps the libraries' names (#domain, …) to their compiled files.
COPY package.json LICENSE ./

# The only folder it writes to: mount an emptyDir there when the root file system is read-only.
ENV NODE_ENV=production HOME=/var/lib/gitops-reverser TMPDIR=/var/lib/gitops-reverser DATA_DIR=/var/lib/gitops-reverser/data
VOLUME /var/lib/gitops-reverser
USER 65532:65532

# 9443: admission webhook. 8080: /livez, /readyz, /metrics.
EXPOSE 9443 8080
# ssh keeps a connection open in a process that has left git (ControlPersist). Once it ends it is process 1 that has to take
# note of it; Node doesn't, and each one would stay as a zombie until the pod's limit of processes is reached.
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["node", "dist/apps/reverser/src/main.js"]
