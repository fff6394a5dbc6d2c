#!/bin/sh
# Starts the server with the ACL file beside this script and the password from the environment.
set -eu
: "${REDIS_PASSWORD:?set it in docker/.env: openssl rand -hex 24}"
digest=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d' ' -f1)
sed "s/PASSWORD_SHA256/$digest/" /etc/annotate/users.acl > /tmp/users.acl
exec valkey-server --aclfile /tmp/users.acl --dir /data \
    --appendonly yes --appendfsync everysec --maxmemory-policy noeviction
