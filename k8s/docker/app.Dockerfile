# One of the plain apps: config-api, ipam, control, kube-manager, dns, contrailctl.
#   docker build -f k8s/docker/app.Dockerfile --build-arg APP=dns -t registry.example.com/contrail/dns:v0.1.0 .
FROM node:20-bookworm-slim AS build
ARG APP
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node tools/build-app.mjs "$APP" && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ARG APP
RUN apt-get update && apt-get install -y --no-install-recommends openssl ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/node_modules /opt/contrail/node_modules
COPY --from=build /src/dist/apps/${APP} /opt/contrail/${APP}
RUN ln -s /opt/contrail/${APP}/main.js /opt/contrail/main.js
ENV NODE_ENV=production
USER 65532:65532
ENTRYPOINT ["node", "/opt/contrail/main.js"]
