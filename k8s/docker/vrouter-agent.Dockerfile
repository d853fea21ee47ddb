# The agent with its eBPF object, the CNI plugin that it installs on the node, and contrailctl.
#   docker build -f k8s/docker/vrouter-agent.Dockerfile -t registry.example.com/contrail/vrouter-agent:v0.1.0 .
FROM node:20-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends clang llvm libbpf-dev linux-libc-dev gcc libc6-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN bash apps/vrouter-agent/bpf/build.sh dist/bpf \
  && bash apps/cni/build.sh dist/cni \
  && node tools/build-app.mjs vrouter-agent \
  && node tools/build-app.mjs contrailctl \
  && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libbpf1 openssl ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && printf '#!/bin/sh\nexec node /opt/contrail/contrailctl/main.js "$@"\n' > /usr/local/bin/contrailctl \
  && chmod 755 /usr/local/bin/contrailctl
COPY --from=build /src/node_modules /opt/contrail/node_modules
COPY --from=build /src/dist/apps/contrailctl /opt/contrail/contrailctl
COPY --from=build /src/dist/cni/contrail-cni /opt/contrail/cni/contrail-cni
COPY --from=build /src/dist/bpf/vrouter.bpf.o /opt/contrail/bpf/vrouter.bpf.o
COPY --from=build /src/dist/apps/vrouter-agent /opt/contrail/vrouter-agent
ENV NODE_ENV=production
ENTRYPOINT ["node", "/opt/contrail/vrouter-agent/main.js"]
