# Redis as the manifests expect it.
#   docker build -f k8s/docker/redis.Dockerfile -t registry.example.com/contrail/redis:v0.1.0 k8s/docker
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends redis-server redis-tools && rm -rf /var/lib/apt/lists/*
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["/usr/bin/redis-server"]
